// What `ccbt` says when it leaves. Scripts read these; they never change meaning.
#pragma once

namespace ccbt::cli {

enum class exit_code : int {
    ok = 0,
    refused = 1,      // the daemon answered an error
    usage = 2,        // wrong words on the command line
    no_daemon = 3,    // nobody answers, or not in time
    unauthorized = 4, // the key is missing, wrong, or may not do this
    not_found = 5,    // no such torrent, address …
    failed = 6,       // add --wait: the torrent went into status error, or was removed
    interrupted = 130 // Ctrl-C
};

} // namespace ccbt::cli

// What the commands do: one function each, over a session and the words given. They return the exit code.
#pragma once

#include "cli/command.hpp"

namespace ccbt::cli {

int run_endpoint(session&, command const&, given const&); // any endpoint: ask, print the answer
int add_torrents(session&, command const&, given const&);
int list_torrents(session&, command const&, given const&);
int scrape_torrents(session&, command const&, given const&);
int print_events(session&, command const&, given const&);
int export_state(session&, command const&, given const&);
int import_state(session&, command const&, given const&);
int verify_files(session&, command const&, given const&);
int get_config(session&, command const&, given const&);
int set_config(session&, command const&, given const&);
int unset_config(session&, command const&, given const&);
int print_checkpoint(session&, command const&, given const&);
int resume_checkpoint(session&, command const&, given const&);
int list_keys(session&, command const&, given const&);
int make_key(session&, command const&, given const&);
int trust_key(session&, command const&, given const&);
int watch_events(session&, command const&, given const&);
int show_top(session&, command const&, given const&);
int start_daemon(session&, command const&, given const&);
int stop_daemon(session&, command const&, given const&);
int restart_daemon(session&, command const&, given const&);
int tell_daemon(session&, command const&, given const&);
int write_completion(session&, command const&, given const&);
int write_manual(session&, command const&, given const&);

} // namespace ccbt::cli

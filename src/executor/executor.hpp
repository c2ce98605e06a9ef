// Everything that can be asked, in one: an area's class a base, so that `handle` finds the right one by the request.
#pragma once

#include "executor/backup.hpp"
#include "executor/config.hpp"
#include "executor/docs.hpp"
#include "executor/events.hpp"
#include "executor/files.hpp"
#include "executor/ip_filter.hpp"
#include "executor/keys.hpp"
#include "executor/nat.hpp"
#include "executor/queue.hpp"
#include "executor/scrape.hpp"
#include "executor/security.hpp"
#include "executor/session.hpp"
#include "executor/torrents.hpp"
#include "executor/transfers.hpp"

namespace ccbt::executor {

class executor : public session,
                 public docs,
                 public torrents,
                 public transfers,
                 public files,
                 public backup,
                 public nat,
                 public queue,
                 public security,
                 public ip_filter,
                 public scrape,
                 public events,
                 public keys,
                 public config {
public:
    explicit executor(context& house)
        : session{house},
          torrents{house},
          transfers{house},
          files{house},
          backup{house, *this},
          nat{house},
          queue{house, *this},
          security{house},
          ip_filter{house},
          scrape{house, *this},
          events{house},
          keys{house},
          config{house},
          house_{house} {}
    using backup::handle;
    using config::handle;
    using docs::handle;
    using events::handle;
    using files::handle;
    using ip_filter::handle;
    using keys::handle;
    using nat::handle;
    using queue::handle;
    using scrape::handle;
    using security::handle;
    using session::handle;
    using torrents::handle;
    using transfers::handle;

    /// The revision at which what has been answered holds.
    [[nodiscard]] contract::revision revision() const { return house_.state.revision(); }

    [[nodiscard]] operations& once() { return house_.once; }

    /// Held while a long answer is rendered: somebody waits for it.
    [[nodiscard]] rendering_now rendering() {
        ++*house_.renderings;
        return {house_.renderings.get(), rendering_ends{house_.renderings}};
    }
    [[nodiscard]] bool is_rendering() const { return *house_.renderings > 0; }

private:
    context& house_;
};

} // namespace ccbt::executor

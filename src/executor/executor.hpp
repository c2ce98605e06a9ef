// Everything that can be asked, in one: an area's class a base, so that `handle` finds the right one by the request.
#pragma once

#include "executor/backup.hpp"
#include "executor/config.hpp"
#include "executor/ip_filter.hpp"
#include "executor/nat.hpp"
#include "executor/security.hpp"
#include "executor/session.hpp"
#include "executor/torrents.hpp"
#include "executor/transfers.hpp"

namespace ccbt::executor {

class executor : public session,
                 public torrents,
                 public transfers,
                 public backup,
                 public nat,
                 public security,
                 public ip_filter,
                 public config {
public:
    explicit executor(context& house)
        : session{house},
          torrents{house},
          transfers{house},
          backup{house, *this},
          nat{house},
          security{house},
          ip_filter{house},
          config{house},
          house_{house} {}
    using backup::handle;
    using config::handle;
    using ip_filter::handle;
    using nat::handle;
    using security::handle;
    using session::handle;
    using torrents::handle;
    using transfers::handle;

    /// The revision at which what has been answered holds.
    [[nodiscard]] contract::revision revision() const { return house_.state.revision(); }

private:
    context& house_;
};

} // namespace ccbt::executor

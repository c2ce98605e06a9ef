// Every endpoint there is. Whoever serves, documents, calls or tests the API walks this list.
#pragma once

#include "contract/backup.hpp"
#include "contract/batch.hpp"
#include "contract/config.hpp"
#include "contract/docs.hpp"
#include "contract/event_log.hpp"
#include "contract/files.hpp"
#include "contract/ip_filter.hpp"
#include "contract/keys.hpp"
#include "contract/nat.hpp"
#include "contract/protocols.hpp"
#include "contract/queue.hpp"
#include "contract/scrape.hpp"
#include "contract/security.hpp"
#include "contract/session.hpp"
#include "contract/torrents.hpp"
#include "contract/transfers.hpp"

namespace ccbt::contract {

inline constexpr std::string_view base_path = "/api/v1";

using all_endpoints = joined<
    session_endpoints, docs_endpoints, torrent_endpoints, batch_endpoints, transfer_endpoints, file_endpoints,
    queue_endpoints, scrape_endpoints, backup_endpoints, nat_endpoints, security_endpoints,
    ip_filter_endpoints, config_endpoints, protocol_endpoints, event_log_endpoints, key_endpoints>::type;

} // namespace ccbt::contract

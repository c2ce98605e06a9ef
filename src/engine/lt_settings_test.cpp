#include "engine/lt_settings.hpp"

#include <climits>
#include <functional>
#include <gmock/gmock.h>

namespace {

using namespace ccbt;
using pack = libtorrent::settings_pack;

using change_to = std::function<void(contract::settings&)>; // a generic lambda here breaks g++ 12.2

pack packed(change_to const& change, bool listen = true) {
    auto s = contract::settings{};
    change(s);
    return engine::make_settings_pack(s, listen);
}

TEST(lt_settings, listens_on_both_families_by_default) {
    EXPECT_EQ(
        packed([](contract::settings&) {}).get_str(pack::listen_interfaces), "0.0.0.0:64122,[::]:64122");
    EXPECT_EQ(
        packed([](contract::settings& s) { s.network.enable_ipv6 = false; }).get_str(pack::listen_interfaces),
        "0.0.0.0:64122");
    EXPECT_EQ(packed([](contract::settings&) {}).get_str(pack::outgoing_interfaces), "");
}

TEST(lt_settings, a_literal_address_is_dialled_from_too) {
    auto const v4 = packed([](contract::settings& s) {
        s.network.listen_interface = "127.0.0.2";
        s.network.listen_port_tcp = 0;
    });
    EXPECT_EQ(v4.get_str(pack::listen_interfaces), "127.0.0.2:0");
    EXPECT_EQ(v4.get_str(pack::outgoing_interfaces), "127.0.0.2");
    auto const v6 = packed([](contract::settings& s) { s.network.listen_interface = "::1"; });
    EXPECT_EQ(v6.get_str(pack::listen_interfaces), "[::1]:64122");
    auto const device = packed([](contract::settings& s) { s.network.listen_interface = "eth0"; });
    EXPECT_EQ(device.get_str(pack::listen_interfaces), "eth0:64122");
    EXPECT_EQ(device.get_str(pack::outgoing_interfaces), "eth0");
}

TEST(lt_settings, nothing_reaches_out_when_it_does_not_listen) {
    auto const p = packed([](contract::settings& s) { s.discovery.enable_lsd = true; }, false);
    EXPECT_EQ(p.get_str(pack::listen_interfaces), "");
    EXPECT_FALSE(p.get_bool(pack::enable_dht));
    EXPECT_FALSE(p.get_bool(pack::enable_lsd));
    EXPECT_FALSE(p.get_bool(pack::enable_upnp));
    EXPECT_FALSE(p.get_bool(pack::enable_natpmp));
}

TEST(lt_settings, utp_is_dialled_only_where_tcp_is_off) {
    auto const both = packed([](contract::settings& s) { s.network.enable_utp = true; });
    EXPECT_TRUE(both.get_bool(pack::enable_incoming_utp));
    EXPECT_FALSE(both.get_bool(pack::enable_outgoing_utp));
    EXPECT_TRUE(both.get_bool(pack::enable_outgoing_tcp));
    auto const utp = packed([](contract::settings& s) {
        s.network.enable_utp = true;
        s.network.enable_tcp = false;
    });
    EXPECT_TRUE(utp.get_bool(pack::enable_outgoing_utp));
    EXPECT_FALSE(utp.get_bool(pack::enable_incoming_tcp));
    auto const neither = packed([](contract::settings&) {});
    EXPECT_FALSE(neither.get_bool(pack::enable_incoming_utp));
}

TEST(lt_settings, several_peers_of_one_address_only_on_loopback) {
    EXPECT_FALSE(packed([](contract::settings&) {}).get_bool(pack::allow_multiple_connections_per_ip));
    EXPECT_TRUE(packed([](contract::settings& s) {
                    s.network.listen_interface = "127.0.0.1";
                }).get_bool(pack::allow_multiple_connections_per_ip));
}

TEST(lt_settings, libtorrent_maps_no_ports) { // src/gateway does
    EXPECT_FALSE(packed([](contract::settings&) {}).get_bool(pack::enable_upnp));
    EXPECT_FALSE(packed([](contract::settings&) {}).get_bool(pack::enable_natpmp));
}

TEST(lt_settings, encryption_follows_its_switch_and_mode) {
    auto const off = packed([](contract::settings&) {});
    EXPECT_EQ(off.get_int(pack::in_enc_policy), pack::pe_disabled);
    EXPECT_EQ(off.get_int(pack::out_enc_policy), pack::pe_disabled);
    auto const preferred = packed([](contract::settings& s) { s.security.enable_encryption = true; });
    EXPECT_EQ(preferred.get_int(pack::in_enc_policy), pack::pe_enabled);
    auto const required = packed([](contract::settings& s) {
        s.security.enable_encryption = true;
        s.security.encryption_mode = contract::encryption_policy::required;
    });
    EXPECT_EQ(required.get_int(pack::in_enc_policy), pack::pe_forced);
    EXPECT_EQ(required.get_int(pack::out_enc_policy), pack::pe_forced);
}

TEST(lt_settings, the_compensations_for_this_libtorrent_stand) {
    auto const p = packed([](contract::settings&) {});
    EXPECT_EQ(p.get_int(pack::mmap_file_size_cutoff), INT_MAX);
    EXPECT_EQ(p.get_int(pack::disk_write_mode), pack::always_pwrite);
    EXPECT_EQ(p.get_int(pack::recv_socket_buffer_size), 1048576);
    EXPECT_EQ(p.get_int(pack::listen_queue_size), 1000);
    EXPECT_EQ(p.get_int(pack::max_metadata_size), 10485760);
    EXPECT_TRUE(p.get_bool(pack::ssrf_mitigation));
    EXPECT_TRUE(p.get_bool(pack::validate_https_trackers));
    EXPECT_FALSE(p.get_bool(pack::allow_idna));
    EXPECT_GE(p.get_int(pack::alert_queue_size), 100000);
    EXPECT_EQ(p.get_str(pack::peer_fingerprint), "-CC0100-");
    EXPECT_THAT(p.get_str(pack::user_agent), ::testing::StartsWith("ccbtd/"));
}

TEST(lt_settings, limits_are_bytes_a_second_and_the_largest_still_fits) {
    auto const p = packed([](contract::settings& s) {
        s.limits.global_down_kib = 100;
        s.limits.global_up_kib = 2'097'151;
    });
    EXPECT_EQ(p.get_int(pack::download_rate_limit), 102400);
    EXPECT_EQ(p.get_int(pack::upload_rate_limit), 2147482624);
    EXPECT_EQ(packed([](contract::settings&) {}).get_int(pack::download_rate_limit), 0);
}

TEST(lt_settings, upload_slots_are_a_torrents_own) {
    auto s = contract::settings{};
    EXPECT_EQ(engine::make_per_torrent_settings(s).max_uploads, 4);
    EXPECT_EQ(engine::make_per_torrent_settings(s).max_connections, 50);
    s.network.max_upload_slots = 0;
    s.network.max_peers_per_torrent = 1;
    EXPECT_EQ(engine::make_per_torrent_settings(s).max_uploads, -1);
    EXPECT_EQ(engine::make_per_torrent_settings(s).max_connections, 2);
    EXPECT_EQ(engine::make_settings_pack(s).get_int(pack::unchoke_slots_limit), -1);
}

TEST(lt_settings, a_proxy_with_a_user_sends_the_password) {
    auto const p = packed([](contract::settings& s) {
        s.proxy.enable_proxy = true;
        s.proxy.proxy_host = "p";
        s.proxy.proxy_username = "u";
    });
    EXPECT_EQ(p.get_int(pack::proxy_type), pack::socks5_pw);
    EXPECT_EQ(p.get_str(pack::proxy_hostname), "p");
    EXPECT_EQ(
        packed([](contract::settings& s) { s.proxy.proxy_host = "p"; }).get_int(pack::proxy_type),
        pack::none);
}

TEST(lt_settings, trackers_are_announced_to_by_scheme) {
    auto s = contract::settings{};
    EXPECT_TRUE(engine::tracker_allowed(s, "udp://t:1/announce"));
    EXPECT_TRUE(engine::tracker_allowed(s, "HTTPS://t/announce"));
    EXPECT_FALSE(engine::tracker_allowed(s, "wss://t/announce"));
    s.discovery.enable_udp_trackers = false;
    EXPECT_FALSE(engine::tracker_allowed(s, "udp://t:1/announce"));
    s.discovery.enable_http_trackers = false;
    EXPECT_FALSE(engine::tracker_allowed(s, "http://t/announce"));
}

} // namespace

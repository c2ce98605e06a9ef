// The engine's own class: the session, its table of torrents, and the parts that add and save. What libtorrent says comes
// in through lt_alerts.cpp alone. Loop thread, but for what the notify function posts.
#pragma once

#include "engine/blocked_log.hpp"
#include "engine/lt_adder.hpp"
#include "engine/lt_address_filter.hpp"
#include "engine/lt_announces.hpp"
#include "engine/lt_engine.hpp"
#include "engine/lt_pace.hpp"
#include "engine/lt_saver.hpp"
#include "engine/lt_settings.hpp"
#include "engine/lt_torrent.hpp"
#include "engine/peer_rates.hpp"

#include <libtorrent/alert_types.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/session_stats.hpp>
#include <set>
#include <unordered_set>
#include <vector>

namespace ccbt::engine {

class lt_session final : public engine {
public:
    explicit lt_session(lt_options with);
    ~lt_session() override;

    using engine::ask;
    void ask(wish how, load first) override;
    void forget(torrent_id id, unique_function<void(std::shared_ptr<std::string const>)> done) override;
    void configure(contract::settings const& to) override;
    void block_addresses(std::shared_ptr<ip_range_set const> what, unique_function<void()> done) override;
    void peers(
        torrent_id id, unique_function<void(contract::result<std::vector<contract::peer>>)> done) override;
    void pieces(torrent_id id, unique_function<void(contract::result<piece_report>)> done) override;
    void file_progress(
        torrent_id id, unique_function<void(contract::result<std::vector<std::int64_t>>)> done) override;
    using engine::save_all;
    void save_all(unique_function<void()> done) override;
    void announce(
        torrent_id id, std::chrono::milliseconds within,
        unique_function<void(contract::result<std::vector<contract::tracker_answer>>)> done) override;
    void stop(std::chrono::milliseconds within, unique_function<void()> done) override;
    [[nodiscard]] std::size_t backlog() const override {
        return awaits_block_list_ ? torrents_.all().size() : adder_->backlog();
    }
    [[nodiscard]] int listen_port() const override { return listen_port_; }

    bool connect_peer(torrent_id id, std::string const& ip, int port);

private:
    enum class stopping : std::uint8_t { no, awaiting_update, saving, done };
    using connection =
        std::pair<std::uint64_t, libtorrent::tcp::endpoint>; // a torrent's serial, and its peer

    template <class T> struct question;
    template <class T>
    void ask_libtorrent(std::shared_ptr<question<T>> const& q, job work, job before_the_answer = {});

    void open_to_peers();
    [[nodiscard]] libtorrent::settings_pack settings_now() const;
    void tick();
    void bind_settings(torrent_ref const& t); // of the session, to a torrent that is live
    void bring_to_wish(torrent_ref const& t);
    void carry_out(torrent_ref const& t, deed const& what);
    void recover(torrent_ref const& t);
    void retry(torrent_ref const& t);
    /// Whether a failure that libtorrent tells may be of before the torrent is tried again; if so, it is, once more.
    [[nodiscard]] bool is_stray(torrent_ref const& t);
    void fail(torrent_ref const& t, std::string message);
    void tell_seen(torrent_ref const& t);
    void flushed(torrent_ref const& t);
    void finish(torrent_ref const& t); // what was written last is on the disk
    void look_soon();                  // post_torrent_updates now, not with the next tick
    void save_ended(torrent_ref const& t);
    void save_what_is_dirty();
    void tell_saved();
    void save_what_is_due(); // by time or by bytes; with each look at the torrents
    void remove(torrent_ref const& t);
    void is_gone(torrent_ref const& t);
    void finish_stop();
    [[nodiscard]] bool is_something_unsaved() const;
    void tell_caught_up_if_quiet();
    [[nodiscard]] default_limits defaults() const;

    // lt_alerts.cpp
    void pump_alerts();
    void on_alert(libtorrent::alert* a);
    void on(libtorrent::add_torrent_alert const& a);
    void on(libtorrent::state_update_alert const& a);
    void on(libtorrent::metadata_received_alert const& a);
    void on(libtorrent::listen_succeeded_alert const& a);
    void on(libtorrent::tracker_alert const& a);
    void take_status(libtorrent::torrent_status const& status, std::vector<model::torrent_seen>& samples);
    void still_what_rests(std::vector<model::torrent_seen>& samples);
    void became_live(torrent_ref const& t);
    void ask_for_metadata(torrent_ref const& t);
    void peer_came(connection const& one, bool dialled_us);
    void peer_left(connection const& one, std::string why);
    [[nodiscard]] torrent_ref find(libtorrent::torrent_handle const& handle) const;
    // lt_lost_alerts.cpp
    struct all_there;
    static void look_at_all(libtorrent::session_handle const& session, all_there& all);
    void see_all_again();
    void see_all_later();
    void seen_all_again(
        std::vector<torrent_ref> const& asked, std::vector<libtorrent::torrent_status> const& all);

    loop& loop_;
    contract::settings settings_;
    bool listen_;
    bool awaits_block_list_;
    per_torrent_settings each_;
    bool has_pex_; // the session's plugin, which stays once it is there
    teller tell_;
    lt_table torrents_;
    std::unique_ptr<libtorrent::session> session_;
    lt_pace pace_;
    std::shared_ptr<std::atomic<bool>> alerts_posted_ = std::make_shared<std::atomic<bool>>(false);
    std::unique_ptr<worker> asker_; // questions that libtorrent answers only when it gets to them
    std::unique_ptr<lt_address_filter> filter_;
    std::unique_ptr<lt_announces> announces_;
    peer_rates peer_rates_;
    std::unique_ptr<lt_saver> saver_;
    std::unique_ptr<lt_adder> adder_;
    std::unique_ptr<loop::ticker> ticker_, quiet_, stop_timer_, look_again_, saving_timer_;
    std::vector<unique_function<void()>> saves_awaited_;
    int listen_port_ = 0;
    int const dht_nodes_index_ = libtorrent::find_metric_idx("dht.dht_nodes");
    int const received_index_ = libtorrent::find_metric_idx("net.recv_payload_bytes");
    int const sent_index_ = libtorrent::find_metric_idx("net.sent_payload_bytes");
    int const taken_index_ = libtorrent::find_metric_idx("peer.incoming_connections");
    std::int64_t blocked_connections_ = 0, let_through_ = 0, dialled_ = 0, with_ourselves_ = 0;
    blocked_log blocked_log_;
    std::set<connection> connected_;           // told of
    std::set<connection> left_meanwhile_;      // while everything is looked at again
    std::unordered_set<std::uint64_t> dirty_;  // torrents with progress to save
    std::unordered_set<std::uint64_t> moving_; // torrents last told of with a rate
    bool caught_up_ = false;
    bool save_at_update_ = false;
    bool look_posted_ = false;
    bool seeing_all_ = false, lost_more_ = false;
    stopping stopping_ = stopping::no;
    unique_function<void()> stopped_;
    std::function<void()> left_unsaved_;
    presence here_;
};

} // namespace ccbt::engine

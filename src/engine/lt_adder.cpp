#include "engine/lt_adder.hpp"

#include "base/safeguard.hpp"
#include "engine/lt_settings.hpp"

#include <libtorrent/session_handle.hpp>

namespace ccbt::engine {

namespace lt = libtorrent;

namespace {
constexpr std::size_t under_way = 2000, batch_size = 64, batches_at_once = 2;
} // namespace

lt_adder::lt_adder(parts with) : with_{std::move(with)}, hasher_{with_.on, 1'000'000} {}
lt_adder::~lt_adder() { close(); }

void lt_adder::enqueue(torrent_ref const& t) {
    if (closed_) return;
    t->at = stage::waiting;
    (must_wait(*t) ? parked_ : queue_).push_back(t);
    pump();
}

bool lt_adder::must_wait(lt_torrent const& t) const {
    auto const& h = t.how.asked->hashes;
    return (h.v1 && leaving_.contains(h.v1)) || (h.v2 && leaving_.contains(h.v2));
}

void lt_adder::leaving(contract::info_hashes const& h) {
    if (h.v1) leaving_.insert(h.v1);
    if (h.v2) leaving_.insert(h.v2);
}

void lt_adder::left(contract::info_hashes const& h) {
    for (auto const& one : {h.v1, h.v2})
        if (auto const at = leaving_.find(one); one && at != leaving_.end()) leaving_.erase(at);
    for (auto waiting = std::exchange(parked_, {}); auto const& t : waiting)
        if (t->at == stage::waiting && !t->forgotten) enqueue(t);
}

void lt_adder::close() {
    closed_ = true;
    queue_.clear();
    parked_.clear();
    for (auto const& t : checking_)
        if (t->stop_check) *t->stop_check = true;
}

void lt_adder::pump() {
    auto const& s = with_.settings;
    auto const defaults = default_limits{s.limits.per_torrent_down_kib, s.limits.per_torrent_up_kib};
    while (!closed_ && !queue_.empty() && batches_ < batches_at_once && preparing_ + adding_ < under_way) {
        auto const batch = std::make_shared<std::vector<item>>();
        while (!queue_.empty() && batch->size() < batch_size) {
            auto t = std::move(queue_.front());
            queue_.pop_front();
            if (t->forgotten || t->at != stage::waiting || t->how.blocked) continue;
            if (must_wait(*t)) {
                parked_.push_back(std::move(t));
                continue;
            }
            auto const deeds = reconcile(t->how, {}, defaults);
            t->at = stage::preparing;
            batch->push_back({t, t->how, *t->first, std::get<hand_over>(deeds.front()).with, {}});
        }
        if (batch->empty()) continue;
        preparing_ += batch->size();
        ++batches_;
        auto work = [batch, settings = s] {
            for (auto& i : *batch) i.made = prepare(i.how, i.first, i.with, settings);
        };
        auto done = here_.guard([this, batch] {
            --batches_;
            for (auto& i : *batch) {
                --preparing_;
                prepared_came(i);
            }
            pump();
            tell_drained();
        });
        with_.on.off(std::move(work), std::move(done));
    }
}

void lt_adder::prepared_came(item& of) {
    auto const& t = of.torrent;
    if (t->forgotten || closed_ || t->at != stage::preparing) return;
    if (t->how.blocked) {
        t->at = stage::waiting;
        return;
    }
    if (!of.made.refused.empty()) {
        t->at = stage::refused;
        with_.refused(t, of.made.refused);
        return;
    }
    t->info = of.made.params.ti;
    t->saved_downloaded = of.made.params.total_downloaded;
    t->saved_uploaded = of.made.params.total_uploaded;
    t->before = {t->saved_downloaded, t->saved_uploaded};
    t->all_safe = !of.made.safe.empty() && of.made.safe.all_set();
    t->saved_pieces = of.made.safe.count();
    t->safe = t->all_safe ? piece_set{} : std::move(of.made.safe);
    if (!of.made.to_check.empty()) return check(of);
    add(t, std::move(of.made.params), of.with);
}

void lt_adder::check(item& of) {
    auto const t = of.torrent;
    t->at = stage::checking;
    t->stop_check = std::make_shared<std::atomic<bool>>(false);
    checking_.insert(t);
    struct job_state {
        item of;
        std::shared_ptr<lt::torrent_info const> info;
        piece_check found;
    };
    auto const job = std::make_shared<job_state>();
    job->info = of.made.params.ti;
    job->of = std::move(of);
    auto const already = job->of.made.params.have_pieces.count();
    auto const all = std::max(1, job->info->num_pieces());
    auto seen = model::torrent_seen{};
    seen.id = t->id();
    seen.state = contract::torrent_state::checking;
    seen.progress = static_cast<double>(already) / all;
    seen.downloaded = t->saved_downloaded;
    seen.uploaded = t->saved_uploaded;
    t->last = seen;
    with_.told(t);
    auto progress = [this, t, already, all, here = here_](int, int good, int) {
        with_.on.post(here.guard([this, t, share = static_cast<double>(already + good) / all] {
            if (t->at != stage::checking || !t->last) return;
            t->last->progress = share;
            with_.told(t);
        }));
    };
    auto work = [job, stop = t->stop_check, progress = std::move(progress)] {
        job->found = check_pieces(*job->info, job->of.how.save_path, job->of.made.to_check, progress, *stop);
        if (!in_force(safeguard::resume_hash_checked)) job->found.good.set_all();
    };
    auto done = here_.guard([this, t, job] {
        checking_.erase(t);
        if (t->forgotten || closed_) return;
        if (t->how.blocked || job->found.stopped) {
            t->at = stage::waiting;
            if (!t->how.blocked) enqueue(t);
            return;
        }
        auto& params = job->of.made.params;
        auto lied = false;
        for (auto const piece : job->info->piece_range())
            if (job->found.good.get_bit(piece)) {
                params.have_pieces.set_bit(piece);
                params.unfinished_pieces.erase(piece);
            } else if (piece < job->of.made.claimed.end_index() && job->of.made.claimed.get_bit(piece)) {
                lied = true;
            }
        if (lied) params.unfinished_pieces.clear();
        add(t, std::move(params), job->of.with);
    });
    if (!hasher_.run(std::move(work), std::move(done))) checking_.erase(t);
}

void lt_adder::add(torrent_ref const& t, lt::add_torrent_params params, applied const& with) {
    params.userdata = to_userdata(t->serial);
    t->at = stage::adding;
    t->done = with;
    t->stop_check.reset();
    ++adding_;
    with_.session.async_add_torrent(std::move(params));
}

void lt_adder::answered() {
    if (adding_ > 0) --adding_;
    pump();
    tell_drained();
}

void lt_adder::tell_drained() {
    if (idle()) with_.drained();
}

} // namespace ccbt::engine

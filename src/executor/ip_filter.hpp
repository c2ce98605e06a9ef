// The IP filter's deeds, and its life: loaded before the engine opens its port, again when it is asked for, when its
// settings change and when its URLs are due. One load at a time, on a thread of its own; who asks meanwhile gets the
// next. What cannot be loaded changes nothing. Loop thread. Knows no format and no network: that is src/filter.
#pragma once

#include "contract/ip_filter.hpp"
#include "executor/context.hpp"
#include "filter/load.hpp"

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace ccbt::executor {

class ip_filter {
public:
    explicit ip_filter(context& house) : house_{house} {}
    ~ip_filter(); // a load under way is cut short
    ip_filter(ip_filter const&) = delete;
    ip_filter& operator=(ip_filter const&) = delete;

    task<result<contract::load_ip_filter::response>> handle(
        contract::load_ip_filter::request request, caller const& who);
    task<result<contract::get_ip_filter_stats::response>> handle(
        contract::get_ip_filter_stats::request request, caller const& who);

    /// At the start, once: `ready` when the rules have the filter that is wanted, or the best there is. Nobody is
    /// asked over the network while an earlier filter can stand in.
    void begin_filter(job ready);
    /// As the settings are now, soon; what fails is logged.
    void reload_filter();
    /// No more loads; one under way ends soon.
    void stop_filter();

private:
    enum class trigger : std::uint8_t { start, asked };
    /// What a load came to. `good` is what is to be in force now: null where that does not change.
    struct outcome {
        std::shared_ptr<filter::loaded const> good;
        std::optional<filter::failure> failed;
        bool enabled = false, is_last_good = false, is_kept = true;
    };
    using answered = unique_function<void(std::shared_ptr<outcome const>)>;

    void ask(answered done);
    void begin_load(trigger why);
    static outcome work(contract::settings const& how, trigger why, bool has_one, filter::progress& told);
    task<> conclude(std::shared_ptr<outcome const> got);
    void log_outcome(outcome const& got) const;
    void plan_next(outcome const& got);
    void look(); // whether a load is due
    void tell_progress();

    context& house_;
    std::vector<answered> waiting_, served_; // for the next load; by the one under way
    bool under_way_ = false, stopped_ = false, load_posted_ = false;
    job ready_;
    std::shared_ptr<filter::progress> told_;
    std::int64_t last_told_ = 0;
    bool has_one_ = false;     // a filter is in force
    unix_seconds next_at_ = 0; // of the URLs, or of another try; 0: none
    std::thread thread_;
    std::unique_ptr<loop::ticker> looking_, telling_;
    std::shared_ptr<ip_filter*> here_ = std::make_shared<ip_filter*>(this);
};

} // namespace ccbt::executor

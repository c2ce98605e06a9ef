#include "support/ledger.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>

namespace ccbt::support {

namespace {

namespace fs = std::filesystem;

std::string number(value const& in, std::string_view key) {
    return std::to_string(static_cast<long>(in.number_or(key, -1)));
}

std::string joined(value::array const& words) {
    std::string out;
    for (auto const& word : words)
        if (auto const* const text = word.get_if<std::string>()) out += (out.empty() ? "" : ",") + *text;
    return out;
}

value asked_of(daemon const& one, std::string const& path) {
    auto said = one.get(path);
    if (said.status != 200)
        throw std::runtime_error(path + ": " + std::to_string(said.status) + ' ' + said.body);
    return std::move(said.json);
}

} // namespace

holdings holdings_of(daemon const& of, std::vector<std::string> const& settings) {
    holdings out;
    std::map<std::string, std::string> owner, priority;
    value rows;
    // A row that is checked does not say whether it is paused.
    auto const is_known = [&] {
        rows = asked_of(of, "/torrents");
        auto const& all = rows.list_or_empty("torrents");
        return std::none_of(
            all.begin(), all.end(), [](auto const& row) { return state_of(row) == "checking"; });
    };
    if (!eventually(milliseconds{20'000}, is_known))
        throw std::runtime_error("its torrents are checked for ever");
    auto const queue = asked_of(of, "/queue");
    for (auto const& entry : queue.list_or_empty("entries"))
        priority[std::string{entry.text_or("info_hash", "")}] = entry.text_or("priority", "");
    for (auto const& row : rows.list_or_empty("torrents")) {
        auto const hash = std::string{row.text_or("info_hash", "")};
        owner[hash] = joined(row.list_or_empty("labels"));
        out["t/" + hash] = (state_of(row) == "paused" ? "paused" : "running") +
                           (" down=" + number(row, "download_limit_kib")) +
                           " up=" + number(row, "upload_limit_kib") + " priority=" + priority[hash] +
                           " labels=" + owner[hash];
    }
    for (auto const& entry : queue.list_or_empty("entries")) {
        auto const hash = std::string{entry.text_or("info_hash", "")};
        auto& order = out["order/" + owner[hash]];
        order += (order.empty() ? "" : " ") + hash;
    }
    for (auto const& [letter, list] : {std::pair{'b', "blacklist"}, std::pair{'w', "whitelist"}}) {
        auto const listed = asked_of(of, std::string{"/security/"} + list);
        for (auto const& entry : listed.list_or_empty("entries"))
            out[letter + ("/" + std::string{entry.text_or("ip", "")})] = entry.text_or("reason", "");
    }
    auto const keys = asked_of(of, "/keys");
    for (auto const& key : keys.list_or_empty("keys"))
        out["k/" + std::string{key.text_or("name", "")}] = joined(key.list_or_empty("scopes"));
    auto const config = asked_of(of, "/config");
    for (auto const& setting : settings) {
        auto const dot = setting.find('.');
        auto const* const section = config.find(setting.substr(0, dot));
        auto const text = section == nullptr ? "?" : number(*section, setting.substr(dot + 1));
        if (text != "0") out["c/" + setting] = text;
    }
    std::error_code gone; // what is being deleted goes under our hands
    for (fs::recursive_directory_iterator at{of.downloads(), gone}, end; !gone && at != end;
         at.increment(gone))
        if (auto const name = at->path().lexically_relative(of.downloads()).string();
            name.starts_with("data-"))
            out["f/" + name] = at->is_directory(gone) ? "folder" : "there";
    return out;
}

ledger::ticket ledger::ask(holding_changes what) {
    std::lock_guard const held{mutex_};
    open_.emplace(++last_, std::move(what));
    return last_;
}

void ledger::acknowledge(ticket which) {
    std::lock_guard const held{mutex_};
    for (auto& [name, text] : open_.at(which)) {
        if (text)
            sure_[name] = *text;
        else
            sure_.erase(name);
    }
    open_.erase(which);
    ++found_.acknowledged;
}

void ledger::refuse(ticket which) {
    std::lock_guard const held{mutex_};
    open_.erase(which);
}

// What is sure, with those unanswered changes that are there.
holdings ledger::expected(holdings const& now, findings& into) const {
    auto out = sure_;
    for (auto const& [id, what] : open_) {
        std::size_t done = 0, undone = 0, either = 0;
        std::string detail;
        for (auto const& [name, text] : what) {
            auto const at = now.find(name);
            auto const was = sure_.find(name);
            auto const is = at == now.end() ? std::nullopt : std::optional{at->second};
            auto const before = was == sure_.end() ? std::nullopt : std::optional{was->second};
            detail += "\n  " + name + " was " + before.value_or("not there") + ", asked to be " +
                      text.value_or("gone") + ", is " + is.value_or("gone");
            if (text == before)
                ++either;
            else if (is == text)
                ++done;
            else if (is == before)
                ++undone;
        }
        ++into.unanswered;
        auto const is_done = done + either == what.size() && done > 0;
        if (is_done) {
            ++into.kept;
            for (auto const& [name, text] : what) {
                if (text)
                    out[name] = *text;
                else
                    out.erase(name);
            }
        } else if (done > 0) {
            ++into.torn;
            if (into.first.empty()) into.first = "half done:" + detail;
        }
    }
    return out;
}

void ledger::judge(holdings const& now, findings& into) const {
    auto const right = expected(now, into);
    auto const tell = [&](std::string const& what) {
        if (into.first.empty()) into.first = what;
    };
    for (auto const& [name, text] : right) {
        auto const at = now.find(name);
        if (at != now.end() && at->second == text) continue;
        ++into.lost;
        tell(
            name + " should be \"" + text + "\" and " +
            (at == now.end() ? "is gone" : "is \"" + at->second + '"'));
    }
    for (auto const& [name, text] : now)
        if (!right.contains(name)) {
            ++into.resurrected;
            tell(name + " is there: \"" + text + '"');
        }
}

void ledger::begin(holdings now) {
    std::lock_guard const held{mutex_};
    sure_ = std::move(now);
}

void ledger::compare(holdings const& now) {
    std::lock_guard const held{mutex_};
    judge(now, found_);
    sure_ = now;
    open_.clear();
}

void ledger::compare(daemon const& of, std::vector<std::string> const& settings) {
    auto now = holdings_of(of, settings);
    auto const is_file = [](auto const& one) { return one.first.starts_with("f/"); };
    auto const is_right = [&] {
        auto const later = holdings_of(of, settings);
        std::erase_if(now, is_file);
        std::copy_if(later.begin(), later.end(), std::inserter(now, now.end()), is_file);
        findings here;
        std::lock_guard const held{mutex_};
        judge(now, here);
        return here.is_clean();
    };
    // A deletion that was recorded is done soon after the start, and tells nobody.
    static_cast<void>(eventually(milliseconds{5000}, is_right));
    compare(now);
}

findings ledger::found() const {
    std::lock_guard const held{mutex_};
    return found_;
}

holdings ledger::acknowledged() const {
    std::lock_guard const held{mutex_};
    return sure_;
}

std::size_t ledger::asked() const {
    std::lock_guard const held{mutex_};
    return last_;
}

} // namespace ccbt::support

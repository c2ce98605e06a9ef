#include "base/metrics.hpp"

#include <fmt/core.h>

namespace ccbt::metrics {

void histogram::observe(double seconds) {
    ++count_;
    sum_ += seconds;
    for (std::size_t i = 0; i < bounds.size(); ++i)
        if (seconds <= bounds[i]) {
            ++buckets_[i];
            return;
        }
}

page& page::family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
    return *this;
}

page& page::sample(double value, std::string_view labels, std::string_view suffix) {
    if (labels.empty())
        text_ += fmt::format("{}{} {}\n", name_, suffix, value);
    else
        text_ += fmt::format("{}{}{{{}}} {}\n", name_, suffix, labels, value);
    return *this;
}

page& page::of(histogram const& h) {
    std::uint64_t up_to = 0;
    for (std::size_t i = 0; i < histogram::bounds.size(); ++i) {
        up_to += h.buckets()[i];
        sample(static_cast<double>(up_to), label("le", fmt::format("{}", histogram::bounds[i])), "_bucket");
    }
    sample(static_cast<double>(h.count()), label("le", "+Inf"), "_bucket");
    sample(h.sum(), {}, "_sum");
    sample(static_cast<double>(h.count()), {}, "_count");
    return *this;
}

std::string label(std::string_view name, std::string_view value) {
    std::string out{name};
    out += "=\"";
    for (char const c : value) {
        if (c == '\n') {
            out += "\\n";
            continue;
        }
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    out += '"';
    return out;
}

} // namespace ccbt::metrics

// How long an IP filter of two million lines takes, from the file to the set in force.
#include "filter/list.hpp"

#include <benchmark/benchmark.h>
#include <cstdio>
#include <fmt/format.h>
#include <random>
#include <string>
#include <unistd.h>

namespace {

using namespace ccbt;

// Lines of four kinds, shuffled, as the formats are mixed in one file.
std::string lines(unsigned count) {
    std::mt19937 random{42};
    std::string out;
    out.reserve(std::size_t{count} * 48);
    auto const quad = [](std::uint32_t n) {
        return fmt::format("{}.{}.{}.{}", n >> 24, n >> 16 & 255, n >> 8 & 255, n & 255);
    };
    for (unsigned i = 0; i < count; ++i) {
        std::uint32_t const first = random() & 0xffffff00U;
        switch (i % 4) {
        case 0: out += fmt::format("Some company, no. {}:{}-{}\n", i, quad(first), quad(first + 99)); break;
        case 1:
            out += fmt::format("{} - {} , 100 , Some company, no. {}\n", quad(first), quad(first + 99), i);
            break;
        case 2: out += fmt::format("{}-{}\n", quad(first), quad(first + 99)); break;
        default: out += fmt::format("2001:db8:{:x}:{:x}::/64\n", first >> 16, first & 0xffff);
        }
    }
    return out;
}

void ip_filter(benchmark::State& state) {
    auto const path = fmt::format("/tmp/ccbt-filter-bench-{}", ::getpid());
    auto const text = lines(static_cast<unsigned>(state.range(0)));
    if (auto* const file = std::fopen(path.c_str(), "w")) {
        std::fwrite(text.data(), 1, text.size(), file);
        std::fclose(file);
    }
    std::size_t ranges = 0;
    for (auto _ : state) {
        filter::progress told;
        auto got = filter::read_list(path, "it", {}, told);
        if (!got || got->bad_count != 0) state.SkipWithError("not read");
        ranges = ip_range_set{std::move(got->ranges)}.ranges().size();
    }
    state.counters["ranges"] = static_cast<double>(ranges);
    state.SetItemsProcessed(state.iterations() * state.range(0));
    std::remove(path.c_str());
}
BENCHMARK(ip_filter)->Arg(200'000)->Arg(2'000'000)->Unit(benchmark::kMillisecond);

} // namespace

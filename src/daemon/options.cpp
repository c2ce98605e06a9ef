#include "daemon/options.hpp"

#include <CLI/CLI.hpp>

namespace ccbt::daemon {

namespace {

constexpr std::int64_t most_demo_torrents = 1'000'000;

} // namespace

config_sources options::sources() const {
    auto out = sources_of_process();
    out.file = config;
    out.flags = set;
    if (state_dir) out.flags.push_back({"daemon.state_dir", *state_dir, "--state-dir"});
    return out;
}

expected<options, early_end> parse_options(int argc, char const* const* argv) {
    options made;
    std::string config;
    std::string state_dir;
    std::int64_t demo = 0;
    std::vector<std::string> settings;

    CLI::App app{
        "The ccBitTorrent daemon: downloads torrents and serves its control API, in the foreground.",
        "ccbtd"};
    app.set_help_flag("-h,--help", "Print this and leave");
    auto* const has_config = app.add_option(
                                    "--config", config,
                                    "The configuration; else ccbt.toml here, ~/.config/ccbt/ccbt.toml, "
                                    "~/.ccbt.toml")
                                 ->type_name("FILE");
    auto* const has_state =
        app.add_option("--state-dir", state_dir, "Where the daemon keeps its state")->type_name("DIR");
    // One value a flag, so that what follows is never taken for another setting.
    app.add_option("--set", settings, "Set one key, over file and environment; may be repeated")
        ->type_name("SECTION.KEY=VALUE")
        ->allow_extra_args(false);
    auto* const has_demo = app.add_option("--demo", demo, "Serve N made-up torrents, without a network")
                               ->type_name("N")
                               ->check(CLI::Range(std::int64_t{0}, most_demo_torrents));
    int engine_alerts = 0;
    auto* const has_alerts = app.add_option("--engine-alerts", engine_alerts)
                                 ->check(CLI::Range(1, 1'000'000))
                                 ->group(""); // not shown
    app.add_flag("--version", made.version, "Print versions and leave");
    app.add_flag("--check-config", made.check_config, "Check the configuration and leave");
    app.add_flag(
        "--recover", made.recover,
        "Read what can be read of a damaged state into a new one, keep the damaged one, and leave");

    auto const wrong = [](std::string const& what) {
        return unexpected<early_end>{
            {exit_code::configuration, "ccbtd: " + what + "\nccbtd --help lists the flags.\n"}};
    };
    try {
        app.parse(argc, argv);
    } catch (CLI::CallForHelp const&) {
        return unexpected<early_end>{{exit_code::clean, app.help()}};
    } catch (CLI::ParseError const& failed) {
        return wrong(failed.what());
    }
    for (auto const& one : settings) {
        auto const equals = one.find('=');
        if (equals == std::string::npos || equals == 0)
            return wrong("--set: must be section.key=value, is " + one);
        made.set.push_back({one.substr(0, equals), one.substr(equals + 1), "--set"});
    }
    if (has_config->count() != 0) made.config = config;
    if (has_state->count() != 0) made.state_dir = state_dir;
    if (has_demo->count() != 0) made.demo = demo;
    if (has_alerts->count() != 0) made.engine_alerts = engine_alerts;
    return made;
}

} // namespace ccbt::daemon

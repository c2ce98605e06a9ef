#include "cli/app.hpp"

#include <csignal>
#include <exception>
#include <iostream>

int main(int count, char** words) {
    std::signal(SIGPIPE, SIG_DFL); // `ccbt ls | head` just ends
    try {
        return ccbt::cli::run(
            {words + 1, words + count}, {std::cout, std::cerr, ccbt::cli::look_at_terminal()});
    } catch (std::exception const& e) {
        std::cerr << "ccbt: this is a bug: " << e.what() << '\n';
        return 1;
    }
}

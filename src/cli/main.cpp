#include "cli/app.hpp"

#include <csignal>
#include <exception>
#include <iostream>

int main(int count, char** words) {
    std::signal(SIGPIPE, SIG_DFL); // `ccbt ls | head` just ends
    try {
        auto const how =
            ccbt::cli::run({words + 1, words + count}, {std::cout, std::cerr, ccbt::cli::look_at_terminal()});
        if (!std::cout.flush()) { // a listing cut short must not pass for the whole
            std::cerr << "ccbt: the output could not be written\n";
            return how != 0 ? how : 1;
        }
        return how;
    } catch (std::exception const& e) {
        std::cerr << "ccbt: this is a bug: " << e.what() << '\n';
        return 1;
    }
}

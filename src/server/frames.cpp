#include "server/frames.hpp"

namespace ccbt::server {

void frames::add(shared_text text) {
    constexpr unsigned char whole_text = 0x81; // FIN, opcode 1
    frame one{std::move(text), {whole_text}, 2};
    auto const size = one.text.size();
    text_bytes_ += size;
    auto const long_form = [&](unsigned char mark, int bytes) {
        one.head[1] = mark;
        for (int i = bytes; i > 0; --i)
            one.head[one.head_size++] = static_cast<unsigned char>(size >> (8 * (i - 1)));
    };
    if (size < 126)
        one.head[1] = static_cast<unsigned char>(size);
    else if (size <= 0xffff)
        long_form(126, 2);
    else
        long_form(127, 8);
    frames_.push_back(std::move(one));
}

void frames::clear() {
    frames_.clear();
    buffers_.clear();
    text_bytes_ = 0;
}

frames::buffers frames::to_write() {
    buffers_.clear();
    buffers_.reserve(2 * frames_.size());
    for (auto const& one : frames_) {
        buffers_.emplace_back(one.head.data(), one.head_size);
        buffers_.emplace_back(one.text.view().data(), one.text.size());
    }
    return {buffers_.data(), buffers_.data() + buffers_.size()};
}

} // namespace ccbt::server

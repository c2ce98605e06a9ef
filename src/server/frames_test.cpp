#include "server/frames.hpp"

#include <array>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ccbt::server {
namespace {

std::string written(frames& some) {
    std::string out;
    for (auto const& one : some.to_write()) out.append(static_cast<char const*>(one.data()), one.size());
    return out;
}

// RFC 6455, 5.2: the length in 7 bits, in 16 from 126 on, in 64 from 65,536 on.
TEST(frames, have_a_head_for_their_length) {
    using namespace std::string_literals;
    struct {
        std::size_t size;
        std::string head;
    } const cases[] = {
        {0, "\x81\x00"s},
        {125, "\x81\x7d"s},
        {126, "\x81\x7e\x00\x7e"s},
        {65'535, "\x81\x7e\xff\xff"s},
        {65'536, "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"s}};
    for (auto const& [size, head] : cases) {
        frames some;
        some.add(shared_text{std::string(size, 'x')});
        EXPECT_EQ(written(some), head + std::string(size, 'x')) << size;
        EXPECT_EQ(some.text_bytes(), size);
    }
}

TEST(frames, go_together_in_order) {
    frames some;
    some.add(shared_text{std::string{"one"}});
    some.add(shared_text{std::string{"two"}});
    EXPECT_EQ(written(some), "\x81\x03one\x81\x03two");
    some.clear();
    EXPECT_TRUE(some.empty());
    EXPECT_EQ(some.text_bytes(), 0U);
    EXPECT_EQ(written(some), "");
}

TEST(frames, are_full_by_number_or_bytes) {
    frames many, long_ones;
    while (!many.is_full()) many.add(shared_text{std::string{"x"}});
    EXPECT_EQ(many.text_bytes(), frames::at_most);
    long_ones.add(shared_text{std::string(frames::full_bytes - 1, 'x')});
    EXPECT_FALSE(long_ones.is_full());
    long_ones.add(shared_text{std::string{"x"}});
    EXPECT_TRUE(long_ones.is_full());
}

/// A stream, and its other end: who reads there waits for nothing.
struct stream_pair {
    asio::io_context context{1};
    int far = -1;
    std::shared_ptr<shared_stream> near;

    stream_pair() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
        far = ends[1];
        near = std::make_shared<shared_stream>(
            stream{stream_socket{context, asio::generic::stream_protocol{AF_UNIX, 0}, ends[0]}});
    }
    ~stream_pair() { ::close(far); }
    stream_pair(stream_pair const&) = delete;
    stream_pair& operator=(stream_pair const&) = delete;

    std::string read(std::size_t size) {
        std::string out;
        std::array<char, 65'536> some{};
        while (out.size() < size) {
            context.poll();
            if (auto const n = ::read(far, some.data(), some.size()); n > 0)
                out.append(some.data(), static_cast<std::size_t>(n));
            else if (context.stopped())
                break; // nothing more is written
        }
        return out;
    }
};
std::string const much(1'000'000, 'm'); // more than the kernel takes at once

TEST(shared_stream, finishes_one_write_before_the_next) {
    stream_pair pair;
    std::string const theirs(1'000, 't');
    std::string done;
    pair.near->write(asio::buffer(much), [&](error_code failed, std::size_t n) {
        EXPECT_FALSE(failed);
        EXPECT_EQ(n, much.size());
        done += 'm';
    });
    pair.near->async_write_some(asio::buffer(theirs), [&](error_code failed, std::size_t n) {
        EXPECT_FALSE(failed);
        EXPECT_EQ(n, theirs.size());
        done += 't';
    });
    pair.context.poll();
    EXPECT_EQ(done, "") << "the other end has not read";
    EXPECT_EQ(pair.read(much.size() + theirs.size()), much + theirs);
    pair.context.run();
    EXPECT_EQ(done, "mt");
}

TEST(shared_stream, that_is_closed_fails_what_is_written_and_what_waits) {
    stream_pair pair;
    int failures = 0;
    for (int i = 0; i < 2; ++i)
        pair.near->write(
            asio::buffer(much), [&](error_code failed, std::size_t) { failures += failed ? 1 : 0; });
    pair.context.poll();
    EXPECT_EQ(failures, 0);
    error_code ignored;
    pair.near->under().close(ignored);
    pair.context.run();
    EXPECT_EQ(failures, 2);
}

// As when the daemon ends: what waits may hold who owns the stream.
TEST(shared_stream, lets_go_what_waits_when_its_context_ends) {
    auto const held = std::make_shared<int>(1);
    {
        stream_pair pair;
        for (int i = 0; i < 2; ++i)
            pair.near->write(asio::buffer(much), [near = pair.near, held](error_code, std::size_t) {});
        pair.context.poll();
        pair.near.reset();
        EXPECT_EQ(held.use_count(), 3);
    }
    EXPECT_EQ(held.use_count(), 1);
}

} // namespace
} // namespace ccbt::server

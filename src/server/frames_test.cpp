#include "server/frames.hpp"

#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <gtest/gtest.h>

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

/// A stream over a socket pair whose buffers are small, with a reader at the other end.
class shared : public ::testing::Test {
protected:
    shared() {
        asio::local::stream_protocol::socket near{context};
        asio::local::connect_pair(near, far);
        near.set_option(asio::socket_base::send_buffer_size{4096});
        auto const fd = near.release();
        all = std::make_unique<shared_stream>(
            stream{stream_socket{context, asio::generic::stream_protocol{AF_UNIX, 0}, fd}});
    }
    void write(std::string const& text) {
        all->write(asio::buffer(text), [this, size = text.size()](error_code failed, std::size_t n) {
            EXPECT_TRUE(failed || n == size);
            ended.push_back(failed);
        });
    }
    asio::io_context context{1};
    asio::local::stream_protocol::socket far{context};
    std::unique_ptr<shared_stream> all;
    std::vector<error_code> ended;
};

TEST_F(shared, stream_finishes_one_write_before_the_next) {
    std::string const ours(300'000, 'o'), theirs(1'000, 't');
    write(ours);
    bool is_done = false;
    all->async_write_some(asio::buffer(theirs), [&](error_code failed, std::size_t n) {
        EXPECT_FALSE(failed);
        EXPECT_EQ(n, theirs.size());
        EXPECT_EQ(ended.size(), 1U);
        is_done = true;
    });
    EXPECT_TRUE(ended.empty()); // the other end has not read
    std::string read(ours.size() + theirs.size(), ' ');
    asio::async_read(far, asio::buffer(read), [](error_code failed, std::size_t) { EXPECT_FALSE(failed); });
    context.run();
    EXPECT_EQ(read, ours + theirs);
    EXPECT_TRUE(is_done);
}

TEST_F(shared, stream_that_is_closed_fails_what_is_written_and_what_waits) {
    std::string const ours(300'000, 'o'), theirs(1'000, 't');
    write(ours);
    write(theirs);
    context.poll();
    EXPECT_TRUE(ended.empty());
    error_code ignored;
    all->under().close(ignored);
    context.restart();
    context.run();
    ASSERT_EQ(ended.size(), 2U);
    EXPECT_TRUE(ended[0]);
    EXPECT_TRUE(ended[1]);
}

// As when the daemon ends: what waits may hold who owns the stream.
TEST(shared_stream_alone, lets_go_what_waits_when_its_context_ends) {
    auto const held = std::make_shared<int>(1);
    std::string const ours(300'000, 'o'), theirs(10, 't');
    {
        asio::io_context context{1};
        asio::local::stream_protocol::socket near{context}, far{context};
        asio::local::connect_pair(near, far);
        auto const all = std::make_shared<shared_stream>(
            stream{stream_socket{context, asio::generic::stream_protocol{AF_UNIX, 0}, near.release()}});
        all->write(asio::buffer(ours), [all, held](error_code, std::size_t) {});
        all->write(asio::buffer(theirs), [all, held](error_code, std::size_t) {});
        context.poll();
        EXPECT_EQ(held.use_count(), 3);
    }
    EXPECT_EQ(held.use_count(), 1);
}

} // namespace
} // namespace ccbt::server

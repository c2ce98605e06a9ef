#include "backup/state_file.hpp"

#include "base/text.hpp"
#include "wire/codec.hpp"

#include <array>
#include <charconv>
#include <openssl/evp.h>

namespace ccbt::backup {

namespace {

constexpr std::size_t read_at_once = std::size_t{1} << 20;
constexpr wire::json_limits line_limits{
    .depth = 16, .elements = 40'000'000, .string_bytes = std::size_t{32} << 20};
constexpr std::string_view count_begins = "],\"count\":";

unexpected<damage> broken(std::string why) {
    return unexpected<damage>{{damage::kind::damaged, "the file is damaged: " + std::move(why)}};
}
unexpected<damage> foreign(std::string why) {
    return unexpected<damage>{{damage::kind::foreign, "this is no state file: " + std::move(why)}};
}

template <class T> expected<T, damage> decoded(wire::value const& from) {
    T made{};
    wire::problems wrong;
    wire::decode(from, made, "", {}, wrong);
    if (wrong.none()) return made;
    return broken(wrong.list.front().field + ' ' + wrong.list.front().message);
}

} // namespace

struct digest::parts {
    std::unique_ptr<EVP_MD_CTX, decltype(&::EVP_MD_CTX_free)> context{::EVP_MD_CTX_new(), &::EVP_MD_CTX_free};
};

digest::digest() : parts_{std::make_unique<parts>()} {
    ::EVP_DigestInit_ex(parts_->context.get(), ::EVP_sha256(), nullptr);
}
digest::~digest() = default;
digest::digest(digest&&) noexcept = default;

void digest::take(std::string_view bytes) {
    ::EVP_DigestUpdate(parts_->context.get(), bytes.data(), bytes.size());
}

std::string digest::hex() {
    std::array<std::uint8_t, 32> out{};
    ::EVP_DigestFinal_ex(parts_->context.get(), out.data(), nullptr);
    return text::to_hex(out);
}

// ---- writing

std::string state_writer::summed(std::string text) {
    sum_.take(text);
    return text;
}

std::string state_writer::begin(kept_head const& head) {
    return summed(
        std::string{file_begins} + std::to_string(file_version) + R"(,"state":)" + wire::to_json(head) +
        ",\"torrents\":[\n");
}

std::string state_writer::add(kept_torrent const& one) {
    return summed((count_++ == 0 ? "" : ",\n") + wire::to_json(one));
}

std::string state_writer::end() {
    auto made =
        summed((count_ == 0 ? "" : "\n") + std::string{count_begins} + std::to_string(count_) + ",\n");
    return made + R"("checksum":")" + sum_.hex() + "\"}\n";
}

// ---- reading

expected<std::string_view, damage> state_reader::line() {
    auto searched = at_;
    while (true) {
        if (auto const end = buffer_.find('\n', searched); end != buffer_.npos) {
            auto const found = std::string_view{buffer_}.substr(at_, end - at_);
            at_ = end + 1;
            return found;
        }
        if (buffer_.size() - at_ > longest_line) return broken("a line of it is too long");
        buffer_.erase(0, at_);
        at_ = 0;
        searched = buffer_.size();
        buffer_.resize(searched + read_at_once);
        auto const got = from_(buffer_.data() + searched, read_at_once);
        buffer_.resize(searched + static_cast<std::size_t>(std::max<std::ptrdiff_t>(got, 0)));
        if (got < 0)
            return unexpected<damage>{{damage::kind::unreadable, "the file cannot be read to its end"}};
        if (got == 0) return broken("it ends too soon");
        taken_ += got;
    }
}

expected<kept_head, damage> state_reader::head() {
    // What does not begin as one is not read on: it may be anything, of any size, without a line's end.
    buffer_.resize(file_begins.size() + 20);
    std::size_t have = 0;
    while (have < buffer_.size()) {
        auto const got = from_(buffer_.data() + have, buffer_.size() - have);
        if (got < 0) return unexpected<damage>{{damage::kind::unreadable, "the file cannot be read"}};
        if (got == 0) break;
        have += static_cast<std::size_t>(got);
        taken_ += got;
    }
    buffer_.resize(have);
    if (have == 0) return foreign("it is empty");
    auto const begins = std::string_view{buffer_}.substr(0, file_begins.size());
    if (begins != file_begins) {
        if (file_begins.starts_with(begins)) return broken("it ends too soon");
        return foreign("it does not begin as one");
    }
    std::int64_t version = 0;
    auto const* const digits = buffer_.data() + file_begins.size();
    auto const [end, failed] = std::from_chars(digits, buffer_.data() + have, version);
    if (failed != std::errc{} || version < 1) return broken("its version is no number");
    if (version > file_version)
        return unexpected<damage>{
            {damage::kind::newer, "the file has version " + std::to_string(version) +
                                      "; this daemon reads up to " + std::to_string(file_version)}};
    auto const first = line();
    if (!first) return unexpected<damage>{first.error()};
    sum_.take(*first);
    sum_.take("\n");
    auto const whole = wire::parse(std::string{*first} + "]}", line_limits);
    if (!whole) return broken("its head is no JSON");
    auto const* const state = whole->find("state");
    if (state == nullptr || state->get_if<wire::value::object>() == nullptr)
        return broken("its head has no state");
    return decoded<kept_head>(*state);
}

expected<std::optional<kept_torrent>, damage> state_reader::next() {
    auto read = line();
    if (!read) return unexpected<damage>{read.error()};
    auto const text = *read;
    sum_.take(text);
    sum_.take("\n");
    if (text.starts_with(count_begins)) {
        if (auto const whole = end(text.substr(count_begins.size())); !whole)
            return unexpected<damage>{whole.error()};
        return std::optional<kept_torrent>{};
    }
    auto const value = wire::parse(text.substr(0, text.size() - (text.ends_with(',') ? 1 : 0)), line_limits);
    if (!value) return broken("torrent " + std::to_string(count_ + 1) + " of it is no JSON");
    if (value->get_if<wire::value::object>() == nullptr)
        return broken("torrent " + std::to_string(count_ + 1) + " of it is no object");
    ++count_;
    auto made = decoded<kept_torrent>(*value);
    if (!made) return unexpected<damage>{made.error()};
    return std::optional<kept_torrent>{std::move(*made)};
}

expected<void, damage> state_reader::end(std::string_view counted) {
    if (counted != std::to_string(count_) + ',') return broken("torrents are missing");
    auto const last = line();
    if (!last) return unexpected<damage>{last.error()};
    if (*last != R"("checksum":")" + sum_.hex() + "\"}") return broken("its checksum is another");
    char more = 0;
    if (at_ < buffer_.size() || from_(&more, 1) != 0) return broken("something stands behind its end");
    return {};
}

// ---- what an import answers

void row_map::add(contract::torrent_row_view const& row) {
    if (!std::exchange(begun_, true)) out_.begin_object();
    out_.key(row->info_hash);
    wire::encode(out_, *row);
}

contract::json_text row_map::take() {
    if (!std::exchange(begun_, false)) out_.begin_object();
    out_.end_object();
    return {out_.take_text()};
}

} // namespace ccbt::backup

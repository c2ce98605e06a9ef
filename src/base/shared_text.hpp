// A text, or a part of one, that several hold and nobody copies. Immutable; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace ccbt {

class shared_text {
public:
    shared_text() = default; // no text: false, an empty view
    explicit shared_text(std::shared_ptr<std::string const> whole)
        : whole_{std::move(whole)}, size_{static_cast<std::uint32_t>(whole_->size())} {}
    explicit shared_text(std::string text)
        : shared_text{std::make_shared<std::string const>(std::move(text))} {}

    /// A part of it, which keeps all of it.
    [[nodiscard]] shared_text part(std::size_t from, std::size_t size) const {
        auto out = *this;
        out.from_ += static_cast<std::uint32_t>(from);
        out.size_ = static_cast<std::uint32_t>(size);
        return out;
    }
    [[nodiscard]] std::string_view view() const {
        return whole_ ? std::string_view{*whole_}.substr(from_, size_) : std::string_view{};
    }
    [[nodiscard]] std::size_t size() const { return size_; }
    explicit operator bool() const { return whole_ != nullptr; }
    /// The same bytes of the same text.
    bool operator==(shared_text const&) const = default;

private:
    std::shared_ptr<std::string const> whole_;
    std::uint32_t from_ = 0, size_ = 0; // bytes: a text of ours has less than 4 GiB
};

} // namespace ccbt

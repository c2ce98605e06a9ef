// Compressed text as a stream: gzip, bzip2 and xz, told by their first bytes, whatever the file is called. Members that
// follow one another are one text, as for zcat. Any thread; holds one buffer, not the text.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

namespace ccbt::filter {

class expander {
public:
    /// Takes text as it comes; false when it wants no more.
    using sink = std::function<bool(std::string_view)>;

    virtual ~expander() = default;
    /// The next bytes. False: they are damaged, or the sink wants no more.
    [[nodiscard]] virtual bool feed(std::string_view bytes, sink const& to) = 0;
    /// Nothing is missing at the end of what has been fed.
    [[nodiscard]] virtual bool is_whole() const = 0;
};

/// For a file that begins so (6 bytes are enough); null where it is not compressed.
[[nodiscard]] std::unique_ptr<expander> expander_for(std::string_view head);

} // namespace ccbt::filter

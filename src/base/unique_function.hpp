// A callable that is moved, never copied, so that it may own what it carries (std::move_only_function is C++23).
// Any thread may call it; calling an empty one is a programming error.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace ccbt {

template <class Signature> class unique_function;

template <class R, class... Args> class unique_function<R(Args...)> {
public:
    unique_function() = default;
    unique_function(std::nullptr_t) {}
    template <class F>
        requires(
            !std::is_same_v<std::remove_cvref_t<F>, unique_function> &&
            std::is_invocable_r_v<R, std::remove_cvref_t<F>&, Args...>)
    unique_function(F&& f) : body_{std::make_unique<body<std::remove_cvref_t<F>>>(std::forward<F>(f))} {}

    R operator()(Args... args) { return body_->call(std::forward<Args>(args)...); }
    explicit operator bool() const { return body_ != nullptr; }

private:
    struct anybody {
        virtual ~anybody() = default;
        virtual R call(Args...) = 0;
    };
    template <class F> struct body final : anybody {
        template <class G> explicit body(G&& g) : f(std::forward<G>(g)) {}
        R call(Args... args) override { return static_cast<R>(f(std::forward<Args>(args)...)); }
        F f;
    };
    std::unique_ptr<anybody> body_;
};

using job = unique_function<void()>;

} // namespace ccbt

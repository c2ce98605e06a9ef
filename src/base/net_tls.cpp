#include "base/net_tls.hpp"

#include "base/net_ssl.hpp"
#include "base/safeguard.hpp"

#include <array>
#include <fcntl.h>
#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ccbt::tls {

namespace {

using ssl_stream = asio::ssl::stream<stream_socket>;

std::string last_error() {
    auto const code = ::ERR_get_error();
    ::ERR_clear_error();
    if (code == 0) return "it cannot be read";
    char const* reason = ::ERR_reason_error_string(code);
    return reason == nullptr ? "error " + std::to_string(code) : std::string{reason};
}

// Opened without waiting (a FIFO), a regular file alone, of a size that such files have.
expected<std::string, std::string> content_of(std::string const& path) {
    constexpr off_t most = 1 << 20;
    auto const fails = [&](char const* why) {
        return unexpected<std::string>{fmt::format("{}: {}", path, why)};
    };
    int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return fails(std::strerror(errno));
    struct stat facts {};
    std::string text;
    bool const good = ::fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_size <= most;
    std::array<char, 16384> some{};
    for (ssize_t n = 0; good && (n = ::read(fd, some.data(), some.size())) > 0 && text.size() <= most;)
        text.append(some.data(), static_cast<std::size_t>(n));
    ::close(fd);
    if (!good) return fails("is no regular file of at most 1 MiB");
    return text;
}

context_ptr modern_context(asio::ssl::context::method side) {
    auto made = std::make_shared<asio::ssl::context>(side);
    auto* const raw = made->native_handle();
    ::SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
    if (!in_force(safeguard::tls_min_version)) {
        ::SSL_CTX_set_min_proto_version(raw, TLS1_VERSION);
        ::SSL_CTX_set_security_level(raw, 0); // OpenSSL's own bound
    }
    ::SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    ::SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);
    return made;
}

class layer final : public tls_layer, public std::enable_shared_from_this<layer> {
public:
    auto kept(done then) {
        return [self = shared_from_this(), then = std::move(then)](error_code failed, std::size_t n) mutable {
            then(failed, n);
        };
    }

    layer(context_ptr with, stream_socket socket) : with_{std::move(with)}, ssl_{std::move(socket), *with_} {}

    void read_some(asio::mutable_buffer into, done then) override {
        ssl_.async_read_some(into, kept(std::move(then)));
    }
    void write_some(asio::const_buffer from, done then) override {
        ssl_.async_write_some(from, kept(std::move(then)));
    }
    void say_goodbye() override {
        // It also waits for the other side's, beside what the caller reads; the socket's end ends both.
        ssl_.async_shutdown([self = shared_from_this()](error_code) {});
    }
    stream_socket& socket() override { return ssl_.next_layer(); }
    ssl_stream& ssl() { return ssl_; }

private:
    context_ptr with_; // before the stream that uses it
    ssl_stream ssl_;
};

class dialled final : public dialling {
public:
    dialled(context_ptr const& with, trust const& whom, stream_socket socket)
        : layer_{std::make_shared<class layer>(with, std::move(socket))}, whom_{whom} {
        auto* const raw = layer_->ssl().native_handle();
        auto* const rules = ::SSL_get0_param(raw);
        if (::X509_VERIFY_PARAM_set1_ip_asc(rules, whom.host.c_str()) != 1) { // not an address
            ::SSL_set_tlsext_host_name(raw, whom.host.c_str());
            ::X509_VERIFY_PARAM_set1_host(rules, whom.host.c_str(), 0);
        }
        ::ERR_clear_error();
    }
    void handshake(unique_function<void(error_code)> then) override {
        layer_->ssl().async_handshake(
            asio::ssl::stream_base::client,
            [kept = layer_, then = std::move(then)](error_code failed) mutable { then(failed); });
    }
    void close() override {
        error_code ignored;
        layer_->socket().close(ignored);
    }
    std::string distrust() const override {
        auto* const raw = layer_->ssl().native_handle();
        if (whom_.certificate_file.empty()) {
            auto const how = ::SSL_get_verify_result(raw);
            return how == X509_V_OK ? "" : ::X509_verify_cert_error_string(how);
        }
        auto const wanted = content_of(whom_.certificate_file);
        if (!wanted) return wanted.error();
        auto* const in = ::BIO_new_mem_buf(wanted->data(), static_cast<int>(wanted->size()));
        auto* const ours = ::PEM_read_bio_X509(in, nullptr, nullptr, nullptr);
        auto* const theirs = ::SSL_get1_peer_certificate(raw);
        bool const same = ours != nullptr && theirs != nullptr && ::X509_cmp(ours, theirs) == 0;
        ::X509_free(theirs);
        ::X509_free(ours);
        ::BIO_free(in);
        ::ERR_clear_error();
        return same || !in_force(safeguard::certificate_pinned)
                   ? ""
                   : "it shows another certificate than the one in " + whom_.certificate_file;
    }
    std::shared_ptr<tls_layer> layer() override { return layer_; }

private:
    std::shared_ptr<class layer> layer_;
    trust whom_;
};

} // namespace

expected<context_ptr, pair_failure> server_context(
    std::string const& certificate_file, std::string const& key_file) {
    auto const fails = [](bool of_key, std::string why) {
        return unexpected<pair_failure>{pair_failure{of_key, std::move(why)}};
    };
    auto const chain = content_of(certificate_file);
    if (!chain) return fails(false, chain.error());
    auto const key = content_of(key_file);
    if (!key) return fails(true, key.error());
    auto made = modern_context(asio::ssl::context::tls_server);
    auto* const raw = made->native_handle();
    ::ERR_clear_error();
    error_code failed;
    made->use_certificate_chain(asio::buffer(*chain), failed);
    if (failed)
        return fails(
            false, fmt::format("{} holds no certificate in PEM: {}", certificate_file, last_error()));
    auto const* const leaf = ::SSL_CTX_get0_certificate(raw);
    if (::X509_cmp_current_time(::X509_get0_notAfter(leaf)) < 0)
        return fails(false, certificate_file + " holds a certificate that has expired");
    made->set_password_callback([](std::size_t, asio::ssl::context::password_purpose) { return ""; });
    made->use_private_key(asio::buffer(*key), asio::ssl::context::pem, failed);
    if (failed)
        return fails(
            true, fmt::format(
                      "{} holds no private key (PEM, without a passphrase) of that certificate: {}", key_file,
                      last_error()));
    if (::SSL_CTX_check_private_key(raw) != 1) {
        ::ERR_clear_error();
        return fails(true, key_file + " holds another certificate's key");
    }
    return made;
}

expected<context_ptr, std::string> client_context(trust const& whom) {
    auto made = modern_context(asio::ssl::context::tls_client);
    if (!whom.certificate_file.empty()) { // looked at by distrust(), before anything is said
        made->set_verify_mode(asio::ssl::verify_none);
        return made;
    }
    error_code failed;
    made->set_verify_mode(asio::ssl::verify_peer);
    made->set_default_verify_paths(failed);
    ::ERR_clear_error();
    if (whom.ca_file.empty()) return made;
    auto const authorities = content_of(whom.ca_file);
    if (!authorities) return unexpected<std::string>{authorities.error()};
    made->add_certificate_authority(asio::buffer(*authorities), failed);
    ::ERR_clear_error();
    if (failed) return unexpected<std::string>{whom.ca_file + ": holds no certificate in PEM"};
    // One that is in the file is trusted though it is no authority: a server's own, say.
    ::X509_STORE_set_flags(::SSL_CTX_get_cert_store(made->native_handle()), X509_V_FLAG_PARTIAL_CHAIN);
    return made;
}

std::shared_ptr<tls_layer> prepare(context_ptr const& with, stream_socket socket) {
    return std::make_shared<layer>(with, std::move(socket));
}

void accept(std::shared_ptr<tls_layer> const& prepared, unique_function<void(error_code)> then) {
    auto const one = std::static_pointer_cast<layer>(prepared);
    one->ssl().async_handshake(
        asio::ssl::stream_base::server,
        [one, then = std::move(then)](error_code failed) mutable { then(failed); });
}

bool is_plain_http(error_code failed) {
    return failed.category() == asio::error::get_ssl_category() &&
           ERR_GET_REASON(static_cast<unsigned long>(failed.value())) == SSL_R_HTTP_REQUEST;
}

std::shared_ptr<dialling> dial(context_ptr const& with, trust const& whom, stream_socket socket) {
    return std::make_shared<dialled>(with, whom, std::move(socket));
}

} // namespace ccbt::tls

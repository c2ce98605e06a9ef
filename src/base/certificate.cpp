#include "base/certificate.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>
#include <openssl/asn1.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace ccbt::tls {

namespace {

template <auto Free> struct freed_by {
    template <class T> void operator()(T* what) const { Free(what); }
};
using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<::EVP_PKEY_free>>;
using certificate_ptr = std::unique_ptr<X509, freed_by<::X509_free>>;
using bio_ptr = std::unique_ptr<BIO, freed_by<::BIO_free>>;
using names_ptr = std::unique_ptr<GENERAL_NAMES, freed_by<::GENERAL_NAMES_free>>;

std::string text_of(BIO* of) {
    char* data = nullptr;
    auto const size = BIO_get_mem_data(of, &data);
    return {data, static_cast<std::size_t>(size)};
}

bool add_names(X509* to, std::vector<std::string> const& names) {
    names_ptr const all{::GENERAL_NAMES_new()};
    for (auto const& name : names) {
        auto* const one = ::GENERAL_NAME_new();
        if (auto* const address = ::a2i_IPADDRESS(name.c_str())) {
            ::GENERAL_NAME_set0_value(one, GEN_IPADD, address);
        } else {
            ::ERR_clear_error();
            auto* const text = ::ASN1_IA5STRING_new();
            ::ASN1_STRING_set(text, name.data(), static_cast<int>(name.size()));
            ::GENERAL_NAME_set0_value(one, GEN_DNS, text);
        }
        ::sk_GENERAL_NAME_push(all.get(), one);
    }
    return ::X509_add1_ext_i2d(to, NID_subject_alt_name, all.get(), 0, X509V3_ADD_DEFAULT) == 1;
}

bool add(X509* to, int what, char const* value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    ::X509V3_set_ctx(&context, to, to, nullptr, nullptr, 0);
    auto* const made = ::X509V3_EXT_conf_nid(nullptr, &context, what, value);
    if (made == nullptr) return false;
    bool const added = ::X509_add_ext(to, made, -1) == 1;
    ::X509_EXTENSION_free(made);
    return added;
}

} // namespace

expected<made_pair, std::string> make_pair(std::vector<std::string> const& names, int days) {
    auto const fails = [] {
        ::ERR_clear_error();
        return unexpected<std::string>{"no certificate could be made"};
    };
    key_ptr const key{::EVP_EC_gen("P-256")};
    certificate_ptr const made{::X509_new()};
    std::array<unsigned char, 16> serial{};
    if (!key || !made || ::RAND_bytes(serial.data(), static_cast<int>(serial.size())) != 1) return fails();
    serial[0] = static_cast<unsigned char>((serial[0] & 0x7f) | 0x40);
    auto* const number = ::BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr);
    ::BN_to_ASN1_INTEGER(number, ::X509_get_serialNumber(made.get()));
    ::BN_free(number);
    auto* const subject = ::X509_get_subject_name(made.get());
    auto const* const called = reinterpret_cast<unsigned char const*>("ccbtd");
    bool const good =
        ::X509_set_version(made.get(), 2) == 1 &&
        ::X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, called, -1, -1, 0) == 1 &&
        ::X509_set_issuer_name(made.get(), subject) == 1 &&
        ::X509_gmtime_adj(X509_getm_notBefore(made.get()), -24L * 3600) != nullptr && // clocks differ
        ::X509_gmtime_adj(X509_getm_notAfter(made.get()), static_cast<long>(days) * 24 * 3600) != nullptr &&
        ::X509_set_pubkey(made.get(), key.get()) == 1 && add_names(made.get(), names) &&
        add(made.get(), NID_basic_constraints, "critical,CA:FALSE") &&
        add(made.get(), NID_key_usage, "critical,digitalSignature") &&
        add(made.get(), NID_ext_key_usage, "serverAuth") &&
        ::X509_sign(made.get(), key.get(), ::EVP_sha256()) != 0;
    if (!good) return fails();
    bio_ptr const certificate{::BIO_new(::BIO_s_mem())}, secret{::BIO_new(::BIO_s_mem())};
    if (::PEM_write_bio_X509(certificate.get(), made.get()) != 1 ||
        ::PEM_write_bio_PKCS8PrivateKey(secret.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
        return fails();
    return made_pair{text_of(certificate.get()), text_of(secret.get())};
}

bool covers(std::string_view pem, std::vector<std::string> const& names, int days) {
    bio_ptr const in{::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    certificate_ptr const read{::PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)};
    ::ERR_clear_error();
    if (!read) return false;
    std::time_t then = std::time(nullptr) + static_cast<std::time_t>(days) * 24 * 3600;
    if (::X509_cmp_time(::X509_get0_notAfter(read.get()), &then) <= 0) return false;
    return std::all_of(names.begin(), names.end(), [&](std::string const& name) {
        return ::X509_check_ip_asc(read.get(), name.c_str(), 0) == 1 ||
               ::X509_check_host(read.get(), name.data(), name.size(), 0, nullptr) == 1;
    });
}

} // namespace ccbt::tls

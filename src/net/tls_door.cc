#include "net/tls_door.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>

namespace tagout::net {

namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

constexpr std::size_t subject_bytes_max = 256;
constexpr std::size_t uris_max = 32;

/// Text of a certificate as it may stand in a name: no control characters, which would end it early
/// for whoever reads it with C.
std::string plain_text(const ASN1_STRING* text) {
    unsigned char* utf8 = nullptr;
    const int length = ASN1_STRING_to_UTF8(&utf8, text);
    if (length < 0) {
        return "";
    }
    std::string plain(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(length));
    OPENSSL_free(utf8);
    const bool is_plain = std::ranges::none_of(plain, [](char c) {
        return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
    });
    return is_plain ? plain : "";
}

/// The only common name; "" where there are more than one.
std::string common_name_of(X509_NAME* subject) {
    const int first = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (first < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, first) >= 0) {
        return "";
    }
    return plain_text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, first)));
}

std::vector<std::string> uris_of(X509* certificate) {
    std::vector<std::string> uris;
    auto* const names = static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)
    );
    const int count = names == nullptr ? 0 : sk_GENERAL_NAME_num(names);
    for (int i = 0; i < count && uris.size() < uris_max; ++i) {
        const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_URI) {
            if (std::string uri = plain_text(name->d.uniformResourceIdentifier); !uri.empty()) {
                uris.push_back(std::move(uri));
            }
        }
    }
    GENERAL_NAMES_free(names);
    return uris;
}

std::unexpected<Error> unusable(
    std::string_view what, const std::string& path, const error_code& code
) {
    ERR_clear_error();
    return fail(
        ErrorCode::InvalidArgument,
        std::string(what) + " " + path + " is of no use: " + code.message() +
            "; write it in PEM, readable by this process"
    );
}

Result<std::shared_ptr<TlsDoor::Context>> context_of(const TlsFiles& files) {
    auto context = std::make_shared<TlsDoor::Context>(ssl::context::tls_server);
    SSL_CTX* const own = context->native_handle();
    SSL_CTX_set_min_proto_version(own, TLS1_3_VERSION);
    SSL_CTX_set_session_cache_mode(own, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(own, 0);  // Nothing to resume a session by.
    SSL_CTX_set_mode(own, SSL_MODE_RELEASE_BUFFERS);
    error_code code;
    context->use_certificate_chain_file(files.certificate, code);
    if (code) {
        return unusable("the certificate", files.certificate, code);
    }
    context->use_private_key_file(files.key, ssl::context::pem, code);
    if (code) {
        return unusable("the key", files.key, code);
    }
    if (SSL_CTX_check_private_key(own) != 1) {
        ERR_clear_error();
        return fail(
            ErrorCode::InvalidArgument,
            "the key " + files.key + " is not that of the certificate " + files.certificate
        );
    }
    if (!files.client_ca.empty()) {
        context->load_verify_file(files.client_ca, code);
        STACK_OF(X509_NAME)* const names = SSL_load_client_CA_file(files.client_ca.c_str());
        if (code || names == nullptr) {
            return unusable("the clients' authority", files.client_ca, code);
        }
        SSL_CTX_set_client_CA_list(own, names);
        context->set_verify_mode(ssl::verify_peer, code);
    }
    return context;
}

}  // namespace

TlsDoor::Stamp TlsDoor::stamp() const {
    Stamp stamp{};
    std::size_t at = 0;
    for (const std::string* path : {&files_.certificate, &files_.key, &files_.client_ca}) {
        struct stat facts {};
        if (!path->empty() && ::stat(path->c_str(), &facts) == 0) {
            stamp[at] = static_cast<std::int64_t>(facts.st_mtim.tv_sec);
            stamp[at + 1] = static_cast<std::int64_t>(facts.st_mtim.tv_nsec);
            stamp[at + 2] = static_cast<std::int64_t>(facts.st_ino);
            stamp[at + 3] = static_cast<std::int64_t>(facts.st_size);
        }
        at += 4;
    }
    return stamp;
}

Result<std::shared_ptr<TlsDoor>> TlsDoor::open(const TlsFiles& files) {
    auto door = std::make_shared<TlsDoor>(files);
    TAGOUT_TRY(door->reload());
    return door;
}

std::shared_ptr<TlsDoor::Context> TlsDoor::context() const {
    const MutexLock lock(mutex_);
    return context_;
}

Result<bool> TlsDoor::reload() {
    const Stamp now = stamp();
    {
        const MutexLock lock(mutex_);
        if (context_ && now == stamp_) {
            return false;
        }
        stamp_ = now;  // What is wrong with them is told once.
    }
    std::shared_ptr<Context> next = TAGOUT_TRY(context_of(files_));
    const MutexLock lock(mutex_);
    context_ = std::move(next);
    return true;
}

TlsLink::TlsLink(boost::asio::ip::tcp::socket& socket, std::shared_ptr<TlsDoor::Context> used)
    : context(std::move(used)), stream(socket, *context) {
    error_code ignored;
    stream.set_verify_callback(
        [this](bool is_good, ssl::verify_context& at) {
            if (!is_good && fault == X509_V_OK) {
                fault = X509_STORE_CTX_get_error(at.native_handle());
                fault = fault == X509_V_OK ? X509_V_ERR_UNSPECIFIED : fault;
            }
            return true;  // Judged by whoever asks for a proof.
        },
        ignored
    );
}

std::shared_ptr<const PeerCertificate> TlsLink::certificate() const {
    // The handle is not const in OpenSSL's interface; nothing of it is changed.
    SSL* const handle = const_cast<TlsLink*>(this)->stream.native_handle();
    X509* const shown = SSL_get1_peer_certificate(handle);
    if (shown == nullptr) {
        return nullptr;
    }
    auto peer = std::make_shared<PeerCertificate>();
    X509_NAME* const subject = X509_get_subject_name(shown);
    std::array<char, subject_bytes_max> line{};
    X509_NAME_oneline(subject, line.data(), static_cast<int>(line.size()));
    peer->subject = line.data();
    peer->common_name = common_name_of(subject);
    peer->uris = uris_of(shown);
    const long verified = SSL_get_verify_result(handle);
    const long worst = fault != X509_V_OK ? fault : verified;
    if (worst != X509_V_OK) {
        peer->fault = X509_verify_cert_error_string(worst);
    }
    X509_free(shown);
    return peer;
}

}  // namespace tagout::net

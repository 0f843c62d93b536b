// Certificates for tests, made anew in a folder that goes with the value. Only tests include it.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>

namespace tagout::net {

class TestCertificates {
public:
    struct Facts {
        std::string common_name = {};
        std::string uri = {};
        std::string host = {};  ///< An IPv4 address.
        int days = 1;           ///< Until it ends; below 0 it has.
    };

    TestCertificates() {
        std::string form = (std::filesystem::temp_directory_path() / "tagout-cert-XXXXXX").string();
        folder_ = ::mkdtemp(form.data());
    }
    ~TestCertificates() { std::filesystem::remove_all(folder_); }
    TestCertificates(const TestCertificates&) = delete;
    TestCertificates& operator=(const TestCertificates&) = delete;

    [[nodiscard]] std::string pem(const std::string& name) const {
        return folder_ + "/" + name + ".pem";
    }
    [[nodiscard]] std::string key(const std::string& name) const {
        return folder_ + "/" + name + ".key";
    }

    bool write_authority(const std::string& name) {
        return make(name, "", {.common_name = name, .days = 2});
    }
    bool write(const std::string& name, const std::string& authority, const Facts& facts) {
        return make(name, authority, facts);
    }
    void break_file(const std::string& name) { std::ofstream(pem(name)) << "no certificate\n"; }

private:
    struct Free {
        void operator()(X509* one) const { X509_free(one); }
        void operator()(EVP_PKEY* one) const { EVP_PKEY_free(one); }
    };
    struct Made {
        std::unique_ptr<X509, Free> certificate;
        std::unique_ptr<EVP_PKEY, Free> key;
    };

    bool make(const std::string& name, const std::string& authority, const Facts& facts) {
        Made made{
            std::unique_ptr<X509, Free>(X509_new()),
            std::unique_ptr<EVP_PKEY, Free>(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"))};
        X509* const one = made.certificate.get();
        X509_set_version(one, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(one), ++serial_);
        X509_gmtime_adj(X509_getm_notBefore(one), -7L * 86'400);
        X509_gmtime_adj(X509_getm_notAfter(one), facts.days * 86'400L);
        X509_set_pubkey(one, made.key.get());
        X509_NAME* const subject = X509_get_subject_name(one);
        X509_NAME_add_entry_by_txt(
            subject,
            "CN",
            MBSTRING_UTF8,
            reinterpret_cast<const unsigned char*>(facts.common_name.c_str()),
            -1,
            -1,
            0
        );
        const Made* const signer = authority.empty() ? &made : &made_.at(authority);
        X509_set_issuer_name(one, X509_get_subject_name(signer->certificate.get()));
        add(one, NID_basic_constraints, authority.empty() ? "critical,CA:TRUE" : "CA:FALSE");
        if (!facts.uri.empty()) {
            add(one, NID_subject_alt_name, "URI:" + facts.uri);
        } else if (!facts.host.empty()) {
            add(one, NID_subject_alt_name, "IP:" + facts.host);
        }
        const bool good =
            X509_sign(one, signer->key.get(), EVP_sha256()) > 0 && write_files(name, made);
        made_[name] = std::move(made);
        return good;
    }
    static void add(X509* to, int kind, const std::string& text) {
        X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, text.c_str());
        X509_add_ext(to, extension, -1);
        X509_EXTENSION_free(extension);
    }
    bool write_files(const std::string& name, const Made& made) const {
        const auto closed = [](std::FILE* file) {
            return file != nullptr && std::fclose(file) == 0;
        };
        std::FILE* const certificate = std::fopen(pem(name).c_str(), "w");
        const bool wrote =
            certificate != nullptr && PEM_write_X509(certificate, made.certificate.get());
        std::FILE* const secret = std::fopen(key(name).c_str(), "w");
        const bool kept =
            secret != nullptr &&
            PEM_write_PrivateKey(secret, made.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        return closed(certificate) && closed(secret) && wrote && kept;
    }

    std::string folder_;
    long serial_ = 0;
    std::map<std::string, Made> made_;
};

}  // namespace tagout::net

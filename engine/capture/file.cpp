#include "engine/capture/file.h"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <array>
#include <memory>
#include <optional>

namespace sipassay::capture {

std::expected<void, std::string> read_file(const std::string& path, Decoder& decoder) {
  std::array<char, PCAP_ERRBUF_SIZE> problem{};
  const std::unique_ptr<pcap_t, decltype(&pcap_close)> file(
      pcap_open_offline(path.c_str(), problem.data()), &pcap_close);
  if (!file) return std::unexpected(std::string(problem.data()));
  const int link_type = pcap_datalink(file.get());
  std::optional<Duration> first;
  pcap_pkthdr* header = nullptr;
  const unsigned char* octets = nullptr;
  int status = 0;
  while ((status = pcap_next_ex(file.get(), &header, &octets)) == 1) {
    const Duration at =
        std::chrono::seconds(header->ts.tv_sec) + std::chrono::microseconds(header->ts.tv_usec);
    if (!first) first = at;
    decoder.frame(link_type, {reinterpret_cast<const char*>(octets), header->caplen},
                  header->caplen < header->len, Instant(at - *first));
  }
  decoder.finish();
  if (status == PCAP_ERROR_BREAK) return {};  // the end of the file
  return std::unexpected(
      fmt::format("{} (after {} frames)", pcap_geterr(file.get()), decoder.counts().frames));
}

}  // namespace sipassay::capture

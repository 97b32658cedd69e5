#include "engine/message/line_index.h"

#include <bit>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace sipassay {

namespace {

constexpr std::size_t block = 64;
static_assert(block <= slack_octets);

// One pass; blocks are fed in order.
class Collector {
 public:
  explicit Collector(LineIndex& out) : out_(out) { out_.count = 0; }

  enum class Verdict : std::uint8_t { GoOn, Done, Odd };

  // Bit i of the masks: octet `base` + i is LF, is CR; `valid`: it belongs to the message.
  Verdict take(std::uint64_t lf, std::uint64_t cr, std::uint64_t valid, std::size_t base) {
    lf &= valid;
    cr &= valid;
    // An empty line: LF two octets behind LF.
    const std::uint64_t empty = lf & (lf << 2U | lf_carry_);
    std::uint64_t looked_at = valid;
    if (empty != 0) {
      looked_at = empty ^ (empty - 1);  // up to the first one
      lf &= looked_at;
      cr &= looked_at;
    }
    if (((cr << 1U | cr_carry_) & looked_at) != lf) return Verdict::Odd;
    add_lines(lf, base);
    if (out_.count > LineIndex::lines_max) return Verdict::Odd;
    if (empty != 0) return Verdict::Done;
    lf_carry_ = lf >> 62U;
    cr_carry_ = cr >> 63U;
    return Verdict::GoOn;
  }

 private:
  // Some ends are written unasked: whether a block holds fewer or more is hard to predict.
  void add_lines(std::uint64_t lf, std::size_t base) {
    constexpr std::size_t unasked = 3;
    constexpr std::uint64_t last = std::uint64_t{1} << 63U;  // countr_zero need not ask for zero
    std::uint32_t* at = out_.ends.data() + out_.count;
    out_.count += static_cast<std::size_t>(std::popcount(lf));
    const auto add = [&] {
      *at++ =
          static_cast<std::uint32_t>(base + static_cast<std::size_t>(std::countr_zero(lf | last)));
      lf &= lf - 1;
    };
    for (std::size_t i = 0; i < unasked; ++i) add();
    while (lf != 0) add();
  }

  LineIndex& out_;
  std::uint64_t lf_carry_ = 0;
  std::uint64_t cr_carry_ = 0;
};

std::uint64_t valid_bits(std::size_t base, std::size_t size) {
  const std::size_t left = size - base;
  return left >= block ? ~std::uint64_t{0} : (std::uint64_t{1} << left) - 1;
}

#if defined(__x86_64__)

bool index_lines_sse2(const char* octets, std::size_t size, LineIndex& out) {
  const __m128i lf = _mm_set1_epi8('\n');
  const __m128i cr = _mm_set1_epi8('\r');
  Collector collector(out);
  for (std::size_t base = 0; base < size; base += block) {
    std::uint64_t lf_mask = 0, cr_mask = 0;
    for (unsigned part = 0; part < 4; ++part) {
      const __m128i data =
          _mm_loadu_si128(reinterpret_cast<const __m128i*>(octets + base + part * 16U));
      const auto bits = [data](__m128i wanted) {
        return static_cast<std::uint64_t>(
            static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(data, wanted))));
      };
      lf_mask |= bits(lf) << (part * 16U);
      cr_mask |= bits(cr) << (part * 16U);
    }
    const auto verdict = collector.take(lf_mask, cr_mask, valid_bits(base, size), base);
    if (verdict != Collector::Verdict::GoOn) return verdict == Collector::Verdict::Done;
  }
  return false;
}

__attribute__((target("avx2,bmi,popcnt"))) bool index_lines_avx2(const char* octets,
                                                                 std::size_t size, LineIndex& out) {
  const __m256i lf = _mm256_set1_epi8('\n');
  const __m256i cr = _mm256_set1_epi8('\r');
  Collector collector(out);
  for (std::size_t base = 0; base < size; base += block) {
    const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(octets + base));
    const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(octets + base + 32));
    const std::uint64_t lf_mask =
        static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, lf))) |
        static_cast<std::uint64_t>(
            static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, lf))))
            << 32U;
    const std::uint64_t cr_mask =
        static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, cr))) |
        static_cast<std::uint64_t>(
            static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, cr))))
            << 32U;
    const auto verdict = collector.take(lf_mask, cr_mask, valid_bits(base, size), base);
    if (verdict != Collector::Verdict::GoOn) return verdict == Collector::Verdict::Done;
  }
  return false;
}

#endif

}  // namespace

bool index_lines(const char* octets, std::size_t size, LineIndex& out) {
  static const auto fastest = line_indexers().front().index;
  return fastest(octets, size, out);
}

std::span<const LineIndexer> line_indexers() {
  static constexpr std::array all{
#if defined(__x86_64__)
      LineIndexer{"avx2", index_lines_avx2},
      LineIndexer{"sse2", index_lines_sse2},
#endif
      LineIndexer{"portable", index_lines_portable},
  };
  std::span<const LineIndexer> out(all);
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi") ||
      !__builtin_cpu_supports("popcnt"))
    out = out.subspan(1);
#endif
  return out;
}

bool index_lines_portable(const char* octets, std::size_t size, LineIndex& out) {
  out.count = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const bool is_lf = octets[i] == '\n';
    if (is_lf != (i != 0 && octets[i - 1] == '\r')) return false;
    if (!is_lf) continue;
    const bool is_empty = out.count != 0 && out.ends[out.count - 1] + 2 == i;
    if (out.count == LineIndex::lines_max) return false;
    out.ends[out.count++] = static_cast<std::uint32_t>(i);
    if (is_empty) return true;
  }
  return false;
}

}  // namespace sipassay

#include "tools/files.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "reports/escape.h"
#include "reports/json.h"
#include "tools/options.h"

namespace sipassay::tools {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& path, int error) {
  throw UsageError{
      fmt::format("{}: {}", reports::printable(path), std::generic_category().message(error))};
}

// Devices and pipes (/dev/null, /dev/stdout) are written in place; they cannot be replaced.
bool is_replaceable(const std::string& path) {
  std::error_code ignored;
  const fs::file_status status = fs::symlink_status(path, ignored);
  return !fs::exists(status) || fs::is_regular_file(status);
}

}  // namespace

std::string read_file(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) fail(path, EISDIR);
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) fail(path, errno != 0 ? errno : ENOENT);
  const auto size = fs::file_size(path, error);
  if (!error && size > reports::json_octets_max) fail(path, EFBIG);
  std::string out(std::istreambuf_iterator<char>(in), {});
  if (in.bad()) fail(path, EIO);
  return out;
}

void write_file(const std::string& path, std::string_view octets) {
  const std::string target = is_replaceable(path) ? fmt::format("{}.{}.tmp", path, getpid()) : path;
  errno = 0;
  std::ofstream out(target, std::ios::binary | std::ios::trunc);
  out.write(octets.data(), static_cast<std::streamsize>(octets.size()));
  out.close();
  if (!out) {
    const int error = errno != 0 ? errno : EIO;
    if (target != path) std::remove(target.c_str());
    fail(path, error);
  }
  if (target != path && std::rename(target.c_str(), path.c_str()) != 0) {
    const int error = errno;
    std::remove(target.c_str());
    fail(path, error);
  }
}

void check_writable(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) fail(path, EISDIR);
  const fs::path folder = fs::path(path).parent_path();
  const std::string parent = folder.empty() ? "." : folder.string();
  if (!fs::is_directory(parent, error)) fail(path, ENOENT);
  if (is_replaceable(path) && access(parent.c_str(), W_OK) != 0) fail(path, errno);
}

}  // namespace sipassay::tools

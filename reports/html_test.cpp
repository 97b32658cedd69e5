#include "reports/html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <fstream>
#include <regex>

#include "reports/escape.h"
#include "reports/testdata/sample.h"

namespace sipassay::reports {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string page() {
  std::string out;
  render_html(testdata::sample(), {}, out);
  return out;
}

std::string hash(std::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  std::string octets;
  for (const unsigned char one : digest) octets += static_cast<char>(one);
  return "sha256-" + base64(octets);
}

TEST(Html, ThePolicyNamesTheScriptAndTheStyle) {
  EXPECT_EQ(page_script_hash(), hash(page_script()));
  EXPECT_EQ(page_style_hash(), hash(page_style()));
  EXPECT_THAT(page(), HasSubstr("default-src 'none'; style-src '" + hash(page_style())));
}

std::size_t count(const std::string& text, std::string_view what) {
  std::size_t sum = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++sum;
  return sum;
}

TEST(Html, WhatTheSutSentIsInert) {
  const std::string shown = page();
  EXPECT_EQ(count(shown, "<script"), 1U);
  EXPECT_THAT(shown,
              HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;&amp;&#39;&quot;]]&gt;\\x00\\xff"));
}

TEST(Html, TakesNothingFromOutside) {
  const std::string shown = page();
  for (const char* word :
       {" src=", "href=\"http", "url(", "@import", "<link", "<iframe", "javascript:"})
    EXPECT_THAT(shown, Not(HasSubstr(word)));
}

TEST(Html, EveryLinkHasItsTarget) {
  const std::string shown = page();
  const std::regex link("href=\"#([^\"]*)\"");
  std::size_t links = 0;
  for (std::sregex_iterator at(shown.begin(), shown.end(), link), end; at != end; ++at, ++links)
    EXPECT_THAT(shown, HasSubstr("id=\"" + (*at)[1].str() + "\""));
  EXPECT_GT(links, 9U);
}

TEST(Html, MarksTheHeaderAtFault) {
  EXPECT_THAT(page(), HasSubstr("<mark>RAck: 102 1</mark>\n<mark> INVITE</mark>\n"));
  EXPECT_THAT(page(), HasSubstr("There is no Via in it."));
}

// Element nesting, without a parser of HTML: our pages close what they open.
TEST(Html, TagsAreBalanced) {
  const std::string shown = page();
  for (const char* tag :
       {"details", "summary", "svg", "pre", "table", "section", "div", "dl", "a"}) {
    const std::string open = std::string("<") + tag;
    EXPECT_EQ(count(shown, open + ">") + count(shown, open + " "),
              count(shown, std::string("</") + tag + ">"))
        << tag;
  }
}

}  // namespace
}  // namespace sipassay::reports

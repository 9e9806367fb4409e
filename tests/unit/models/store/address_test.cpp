#include "models/store/address.h"

#include <gmock/gmock.h>

namespace posecam {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Address, IsShownWithoutUserPasswordQueryAndFragment) {
  EXPECT_EQ(shown_url("https://me:secret@host/a?token=1#x"), "https://host/a");
  EXPECT_EQ(shown_url("rtsp://me@host:554/a"), "rtsp://host:554/a");
  EXPECT_EQ(shown_url("rtsp://me:secret@[::1]:554/a"), "rtsp://[::1]:554/a");
  EXPECT_EQ(shown_url("rtsp://me%3Asecret@host"), "rtsp://host");
}

TEST(Address, KeepsWhatIsNoCredential) {
  EXPECT_EQ(shown_url("https://host/a@b"), "https://host/a@b");
  EXPECT_EQ(shown_url("https://host?me@x"), "https://host");
  EXPECT_EQ(shown_url("http://host:80/live?mail=me@there"), "http://host:80/live");
  EXPECT_EQ(shown_url("http://me:secret@host/live?mail=me@there"), "http://host/live");
  EXPECT_EQ(shown_url("http://[::1]:80/live?mail=me@there"), "http://[::1]:80/live");
  EXPECT_EQ(shown_url("/folder/a?b"), "/folder/a?b");
}

TEST(Address, ShowsNoPartOfPasswordsThatWereNotEncoded) {
  for (const std::string password : {"se/cret", "se@cret", "se?cret", "se#cret", "se:cret", "s%2Fecret", "s@e/c?r#e:t",
                                     "/secret", "?secret", "12/34", "12?34", "@@secret", "s/e?c=ret", "se\xFF/cret"}) {
    EXPECT_EQ(shown_url("rtsp://me:" + password + "@cam:554/live"), "rtsp://cam:554/live") << password;
  }
}

TEST(Address, IsFoundInTextsOfOthers) {
  EXPECT_EQ(with_shown_urls("Could not open 'rtsp://me:se/cret@cam/x?a=b' (http://a:b@c), sorry"),
            "Could not open 'rtsp://cam/x' (http://c), sorry");
  EXPECT_EQ(with_shown_urls("://"), "://");
  EXPECT_EQ(with_shown_urls("nothing here"), "nothing here");
  EXPECT_THAT(with_shown_urls("a rtsp://u:p?w@h\nhttp://u:q/w@h b"), Not(HasSubstr("u:")));
}

}  // namespace
}  // namespace posecam

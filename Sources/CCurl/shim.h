#include <curl/curl.h>
// What curl's sockets are watched with; Swift's own module of the C library leaves it out.
#include <sys/epoll.h>
#include <sys/eventfd.h>

// curl_easy_setopt, curl_easy_getinfo and curl_multi_setopt are variadic, which Swift cannot call: one function a type.

static inline CURLcode CCurl_setLong(CURL *handle, CURLoption option, long value) {
  return curl_easy_setopt(handle, option, value);
}

static inline CURLcode CCurl_setOffset(CURL *handle, CURLoption option, curl_off_t value) {
  return curl_easy_setopt(handle, option, value);
}

static inline CURLcode CCurl_setText(CURL *handle, CURLoption option, const char *value) {
  return curl_easy_setopt(handle, option, value);
}

static inline CURLcode CCurl_setPointer(CURL *handle, CURLoption option, void *value) {
  return curl_easy_setopt(handle, option, value);
}

static inline CURLcode CCurl_setList(CURL *handle, CURLoption option, struct curl_slist *value) {
  return curl_easy_setopt(handle, option, value);
}

// Receives body or header bytes: (bytes, size, count, context) to the number of bytes taken.
typedef size_t (*CCurlTake)(char *, size_t, size_t, void *);

static inline CURLcode CCurl_setTake(CURL *handle, CURLoption option, CCurlTake function) {
  return curl_easy_setopt(handle, option, function);
}

// Moves the position in a request body: (context, offset, origin) to CURL_SEEKFUNC_OK.
typedef int (*CCurlSeek)(void *, curl_off_t, int);

static inline CURLcode CCurl_setSeek(CURL *handle, CCurlSeek function) {
  return curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, function);
}

static inline CURLMcode CCurl_multiSetLong(CURLM *multi, CURLMoption option, long value) {
  return curl_multi_setopt(multi, option, value);
}

static inline CURLcode CCurl_getLong(CURL *handle, CURLINFO info, long *value) {
  return curl_easy_getinfo(handle, info, value);
}

// CURLMsg keeps its result in a union of another name space.
static inline CURLcode CCurl_result(const CURLMsg *message) { return message->data.result; }

// A socket is to be watched, or no longer: (easy handle, socket, CURL_POLL_..., context, assigned) to 0.
typedef int (*CCurlWatch)(CURL *, curl_socket_t, int, void *, void *);
// The multi handle wants to be called after so many milliseconds; -1 for never: (multi handle, milliseconds, context).
typedef int (*CCurlTimer)(CURLM *, long, void *);

static inline CURLMcode CCurl_multiSetCallbacks(CURLM *multi, CCurlWatch watch, CCurlTimer timer, void *context) {
  CURLMcode code = curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch);
  if (!code) code = curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, context);
  if (!code) code = curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer);
  if (!code) code = curl_multi_setopt(multi, CURLMOPT_TIMERDATA, context);
  return code;
}

static inline CURLSHcode CCurl_share(CURLSH *share, curl_lock_data what) {
  return curl_share_setopt(share, CURLSHOPT_SHARE, what);
}

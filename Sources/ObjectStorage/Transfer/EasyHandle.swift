import CCurl

/// One of curl's easy handles, used for one transfer after the other. Belongs to the network thread.
final class EasyHandle {
  let pointer: UnsafeMutableRawPointer
  private(set) var transfer: Transfer?
  private let proxies: ProxySettings
  private var headerList: UnsafeMutablePointer<curl_slist>?
  private let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

  private static let connectMilliseconds = 5000
  /// Slower than this, in bytes a second, is no better than nothing: on a line that narrow, fewer transfers at one time
  /// bring more.
  private static let stalledRate = 512

  /// - Parameters:
  ///   - certificateAuthorities: A file of trusted certificates; nil for the system's.
  ///   - stallSeconds: A server that sends nothing for so long, or next to nothing, has stalled.
  ///   - proxies: Which way leads to a server.
  ///   - share: What the handles have in common.
  init?(
    certificateAuthorities: String?, stallSeconds: Int, proxies: ProxySettings, share: UnsafeMutableRawPointer
  ) {
    guard let pointer = curl_easy_init() else { return nil }
    self.pointer = pointer
    self.proxies = proxies
    errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    setLong(CURLOPT_NOSIGNAL, 1)
    setLong(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    setLong(CURLOPT_BUFFERSIZE, 256 << 10)
    setLong(CURLOPT_UPLOAD_BUFFERSIZE, 256 << 10)
    setLong(CURLOPT_PATH_AS_IS, 1)
    setLong(CURLOPT_FOLLOWLOCATION, 0)
    setLong(CURLOPT_CONNECTTIMEOUT_MS, Self.connectMilliseconds)
    setLong(CURLOPT_LOW_SPEED_LIMIT, Self.stalledRate)
    setLong(CURLOPT_LOW_SPEED_TIME, max(1, stallSeconds))
    setLong(CURLOPT_DNS_SHUFFLE_ADDRESSES, 1)
    setLong(CURLOPT_TCP_KEEPALIVE, 1)
    setLong(CURLOPT_QUICK_EXIT, 1)
    CCurl_setText(pointer, CURLOPT_PROTOCOLS_STR, "http,https")
    CCurl_setText(pointer, CURLOPT_USERAGENT, "s3totsne")
    CCurl_setText(pointer, CURLOPT_NOPROXY, "")
    if let certificateAuthorities { CCurl_setText(pointer, CURLOPT_CAINFO, certificateAuthorities) }
    CCurl_setPointer(pointer, CURLOPT_ERRORBUFFER, errorText)
    CCurl_setPointer(pointer, CURLOPT_SHARE, share)
    // The handle outlives its transfers, and curl calls back only from curl_multi_perform while one is added.
    let context = Unmanaged.passUnretained(self).toOpaque()
    CCurl_setPointer(pointer, CURLOPT_PRIVATE, context)
    CCurl_setPointer(pointer, CURLOPT_HEADERDATA, context)
    CCurl_setPointer(pointer, CURLOPT_WRITEDATA, context)
    CCurl_setPointer(pointer, CURLOPT_READDATA, context)
    CCurl_setPointer(pointer, CURLOPT_SEEKDATA, context)
    CCurl_setTake(pointer, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
      let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
      guard let transfer = EasyHandle.transfer(context), transfer.receive(header: line) else { return 0 }
      return line.count
    }
    CCurl_setTake(pointer, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
      let buffer = UnsafeRawBufferPointer(start: bytes, count: size * count)
      guard let transfer = EasyHandle.transfer(context), transfer.receive(body: buffer) else { return 0 }
      return buffer.count
    }
    CCurl_setTake(pointer, CURLOPT_READFUNCTION) { bytes, size, count, context in
      EasyHandle.transfer(context)?.send(into: UnsafeMutableRawBufferPointer(start: bytes, count: size * count)) ?? 0
    }
    CCurl_setSeek(pointer) { context, offset, origin in
      guard origin == SEEK_SET, EasyHandle.transfer(context)?.moveBody(to: Int64(offset)) == true else {
        return CURL_SEEKFUNC_FAIL
      }
      return CURL_SEEKFUNC_OK
    }
  }

  deinit {
    curl_easy_cleanup(pointer)
    curl_slist_free_all(headerList)
    errorText.deallocate()
  }

  private static func transfer(_ context: UnsafeMutableRawPointer?) -> Transfer? {
    guard let context else { return nil }
    return Unmanaged<EasyHandle>.fromOpaque(context).takeUnretainedValue().transfer
  }

  private func setLong(_ option: CURLoption, _ value: Int) { CCurl_setLong(pointer, option, value) }

  /// Makes the handle ready for the transfer; it then has to be added to the multi handle.
  func prepare(_ transfer: Transfer) {
    self.transfer = transfer
    errorText[0] = 0
    let request = transfer.request
    CCurl_setText(pointer, CURLOPT_URL, request.url)
    // Not what curl itself finds in the environment, where it reads less than the AWS command line does.
    CCurl_setText(
      pointer, CURLOPT_PROXY, request.isDirect ? "" : proxies.proxyAddress(forURL: request.url) ?? "")
    CCurl_setText(
      pointer, CURLOPT_CUSTOMREQUEST, request.method == .get || request.method == .put ? nil : request.method.rawValue)
    switch request.method {
    case .get, .delete: setLong(CURLOPT_HTTPGET, 1)
    case .put, .post:
      setLong(CURLOPT_UPLOAD, 1)
      CCurl_setOffset(pointer, CURLOPT_INFILESIZE_LARGE, curl_off_t(request.body.count))
    }
    // Without “Expect”, which costs a second where a server does not know it.
    var list: UnsafeMutablePointer<curl_slist>?
    for line in request.headers() + ["Expect:"] { list = curl_slist_append(list, line) }
    CCurl_setList(pointer, CURLOPT_HTTPHEADER, list)
    curl_slist_free_all(headerList)
    headerList = list
  }

  /// Connections that the transfer had to open: 0 where one was open already.
  var connectionsOpened: Int {
    var count = 0
    CCurl_getLong(pointer, CURLINFO_NUM_CONNECTS, &count)
    return count
  }

  /// Tells who waits how the transfer ended; the handle has been removed from the multi handle.
  func finish(_ code: CURLcode) {
    transfer?.finish(
      code, detail: errorText[0] == 0 ? String(cString: curl_easy_strerror(code)) : String(cString: errorText))
    transfer = nil
  }

  /// Forgets a transfer for which nobody waits any more.
  func abandon() { transfer = nil }
}

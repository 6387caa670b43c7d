internal import CX11

extension Connection {
  /// Gives one event to whom it concerns.
  func dispatch(_ event: inout XEvent) {
    let isKey = event.type == KeyPress || event.type == KeyRelease
    let keyCode = isKey ? event.xkey.keycode : 0
    // Input methods see every event, except keys while no text is typed: they would swallow shortcuts.
    let concernsText = !isKey || window(event.xkey.window)?.isTextInputEnabled == true
    if concernsText, inputMethod.isTaking(&event) {
      if isKey { keyboard.noteFiltered(keyCode, isPress: event.type == KeyPress) }
      return
    }

    if monitors.handle(&event) { return }
    if settings.handle(event) { broadcast(.scaleChanged) }

    switch event.type {
    case GenericEvent:
      guard XGetEventData(display, &event.xcookie) != 0 else { return }
      defer { XFreeEventData(display, &event.xcookie) }
      if event.xcookie.extension == pointers.opcode { dispatchPointer(event.xcookie) }
    case MappingNotify:
      XRefreshKeyboardMapping(&event.xmapping)
    case SelectionRequest:
      noteTime(event.xselectionrequest.time)
      clipboard.handleRequest(event.xselectionrequest)
    case SelectionClear:
      noteTime(event.xselectionclear.time)
      clipboard.handleClear(event.xselectionclear)
    case SelectionNotify:
      clipboard.receiver.handleNotify(event.xselection)
    case PropertyNotify:
      noteTime(event.xproperty.time)
      clipboard.handleProperty(event.xproperty)
      window(event.xproperty.window)?.handleProperty(event.xproperty)
    case DestroyNotify:
      clipboard.handleDestroyed(event.xdestroywindow.window)
      window(event.xdestroywindow.window)?.handleDestroyed()
    case KeyPress, KeyRelease:
      noteTime(event.xkey.time)
      window(event.xkey.window)?.handleKey(&event.xkey)
    case ButtonPress, ButtonRelease, MotionNotify, EnterNotify, LeaveNotify:
      dispatchCorePointer(event)
    default:
      if let completion = sharedMemory?.completion(in: event) {
        window(completion.drawable)?.handleCompletion(segment: completion.segment)
      } else {
        window(event.xany.window)?.handle(event)
      }
    }
  }

  /// Pointer events as the X Input extension tells them, with scrolling in fractions.
  private func dispatchPointer(_ cookie: XGenericEventCookie) {
    guard let data = cookie.data else { return }
    switch cookie.evtype {
    case XI_DeviceChanged:
      pointers.handleChange(data.assumingMemoryBound(to: XIDeviceChangedEvent.self).pointee)
    case XI_Enter, XI_Leave:
      let event = data.assumingMemoryBound(to: XIEnterEvent.self).pointee
      noteTime(event.time)
      guard let window = window(event.event) else { return }
      if cookie.evtype == XI_Enter {
        pointers.readValuators()
        window.pointerEntered(
          x: event.event_x, y: event.event_y, Modifiers(state: UInt32(bitPattern: event.mods.effective)), event.time)
      } else if [XINotifyNormal, XINotifyUngrab, XINotifyPassiveUngrab].contains(event.mode) {
        window.pointerLeft()
      }
    case XI_Motion, XI_ButtonPress, XI_ButtonRelease:
      let event = data.assumingMemoryBound(to: XIDeviceEvent.self).pointee
      noteTime(event.time)
      guard let window = window(event.event) else { return }
      let modifiers = Modifiers(state: UInt32(bitPattern: event.mods.effective))
      let (x, y) = (event.event_x, event.event_y)
      // Turning a wheel of a device that scrolls in fractions presses buttons 4 to 7 as well, for older programs.
      let isEmulated = event.flags & XIPointerEmulated != 0
      if cookie.evtype == XI_Motion {
        let scroll = pointers.scroll(event)
        if scroll.dx != 0 || scroll.dy != 0 {
          window.enqueue(.scrolled(dx: scroll.dx, dy: scroll.dy, x: x, y: y, modifiers))
        }
        window.pointerMoved(x: x, y: y, modifiers, event.time)
      } else if !(isEmulated && (4...7).contains(event.detail)) {
        window.pointerButton(
          Int(event.detail), isPress: cookie.evtype == XI_ButtonPress, x: x, y: y, modifiers, event.time)
      }
    default:
      break
    }
  }

  /// Pointer events of servers without the X Input extension.
  private func dispatchCorePointer(_ event: XEvent) {
    switch event.type {
    case MotionNotify:
      let event = event.xmotion
      noteTime(event.time)
      window(event.window)?.pointerMoved(
        x: Double(event.x), y: Double(event.y), Modifiers(state: event.state), event.time)
    case ButtonPress, ButtonRelease:
      let event = event.xbutton
      noteTime(event.time)
      window(event.window)?.pointerButton(
        Int(event.button), isPress: event.type == ButtonPress, x: Double(event.x), y: Double(event.y),
        Modifiers(state: event.state), event.time)
    case EnterNotify:
      let event = event.xcrossing
      noteTime(event.time)
      window(event.window)?.pointerEntered(
        x: Double(event.x), y: Double(event.y), Modifiers(state: event.state), event.time)
    default:
      let event = event.xcrossing
      noteTime(event.time)
      if event.mode != NotifyGrab { window(event.window)?.pointerLeft() }
    }
  }
}

#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/Xatom.h>
#include <X11/Xresource.h>
#include <X11/XKBlib.h>
#include <X11/keysym.h>
#include <X11/cursorfont.h>
#include <X11/extensions/XShm.h>
#include <X11/extensions/XInput2.h>
#include <X11/extensions/Xrandr.h>
#include <X11/extensions/sync.h>
#include <X11/extensions/Xrender.h>
#include <X11/Xcursor/Xcursor.h>
#include <sys/ipc.h>
#include <sys/shm.h>

// Variadic functions cannot be imported; each is called here with the arguments this program has for it.

static inline XIMStyles *cx11_input_styles(XIM method) {
  XIMStyles *styles = NULL;
  return XGetIMValues(method, XNQueryInputStyle, &styles, NULL) == NULL ? styles : NULL;
}

static inline void cx11_set_destroy_callback(XIM method, XIMCallback *callback) {
  XSetIMValues(method, XNDestroyCallback, callback, NULL);
}

static inline XIC cx11_create_context(XIM method, XIMStyle style, Window window) {
  return XCreateIC(method, XNInputStyle, style, XNClientWindow, window, XNFocusWindow, window, NULL);
}

// The one callback that answers something: how long the text may become; -1 for no limit.
static int cx11_preedit_start(XIC context, XPointer client, XPointer call) {
  (void)context; (void)client; (void)call;
  return -1;
}

// A context whose text before it is committed is drawn by the program. Xlib copies the callbacks.
static inline XIC cx11_create_preedit_context(
    XIM method, XIMStyle style, Window window, XIMCallback *done, XIMCallback *draw, XIMCallback *caret) {
  XICCallback start = { done->client_data, cx11_preedit_start };
  XVaNestedList preedit = XVaCreateNestedList(
      0, XNPreeditStartCallback, &start, XNPreeditDoneCallback, done, XNPreeditDrawCallback, draw,
      XNPreeditCaretCallback, caret, NULL);
  if (preedit == NULL) return NULL;
  XIC context = XCreateIC(
      method, XNInputStyle, style, XNClientWindow, window, XNFocusWindow, window, XNPreeditAttributes, preedit, NULL);
  XFree(preedit);
  return context;
}

static inline long cx11_filter_events(XIC context) {
  long mask = 0;
  XGetICValues(context, XNFilterEvents, &mask, NULL);
  return mask;
}

static inline void cx11_set_spot(XIC context, XPoint spot) {
  XVaNestedList preedit = XVaCreateNestedList(0, XNSpotLocation, &spot, NULL);
  if (preedit == NULL) return;
  XSetICValues(context, XNPreeditAttributes, preedit, NULL);
  XFree(preedit);
}

// Calls a function pointer member that the macro XDestroyImage calls; the pixels stay the caller's.
static inline void cx11_destroy_image(XImage *image) {
  image->data = NULL;
  image->f.destroy_image(image);
}

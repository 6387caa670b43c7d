import Drawing
import TestSupport
import Testing

@Suite("The themes", .computing)
struct ThemeTests {
  @Test("text reaches a contrast of 4.5 on every surface it is drawn on", arguments: [Theme.dark, .light])
  func textContrast(theme: Theme) {
    let surfaces = [
      theme.canvas, theme.bar, theme.panel, theme.field, theme.fieldHover, theme.fieldPressed, theme.rowSelection,
      theme.rowHover, theme.textSelection,
    ]
    for surface in surfaces { #expect(theme.text.contrast(with: surface) >= 4.5) }
    for surface in surfaces.dropLast() { #expect(theme.secondaryText.contrast(with: surface) >= 4.5) }
    for surface in [theme.canvas, theme.bar, theme.panel, theme.field, theme.fieldHover] {
      #expect(theme.error.contrast(with: surface) >= 4.5)
    }
    for accent in [theme.accent, theme.accentHover, theme.accentPressed] {
      #expect(theme.onAccent.contrast(with: accent) >= 4.5)
    }
  }

  @Test("thin lines of the accent and text of disabled controls reach 3", arguments: [Theme.dark, .light])
  func lineContrast(theme: Theme) {
    for surface in [theme.canvas, theme.bar, theme.panel, theme.field] {
      #expect(theme.focus.contrast(with: surface) >= 3)
    }
    for surface in [theme.bar, theme.panel, theme.fieldDisabled] {
      #expect(theme.disabledText.contrast(with: surface) >= 3)
    }
  }

  @Test("the dark theme has the colours of the design")
  func design() {
    #expect(Theme.dark.canvas == Color(hex: 0x17181a))
    #expect(Theme.dark.text == Color(hex: 0xe8e8e6))
    #expect(Theme.light.canvas == Color(hex: 0xf2f2f0))
    #expect(Theme.dark.accent == Color(hex: 0x00afd7))
    #expect(Theme.light.accent == Color(hex: 0x00afd7))
    #expect(Theme.named("light") == .light)
    #expect(Theme.named("pink") == nil)
  }

  @Test("contrast and luminance are WCAG's")
  func wcag() {
    #expect(abs(Color.black.contrast(with: .white) - 21) < 1e-9)
    // The example of the standard's grey at the threshold: #767676 on white is 4.54.
    #expect(abs(Color(hex: 0x767676).contrast(with: .white) - 4.54) < 0.01)
  }

  @Test("pixels are premultiplied")
  func premultiplied() {
    #expect(Color(hex: 0x00afd7).argb == 0xff00_afd7)
    #expect(Color(red: 1, green: 0.5, blue: 0, alpha: 0.5).argb == 0x8080_4000)
  }
}

package main

import (
	"context"

	qrcode "github.com/skip2/go-qrcode"

	"campusgate/signing/code"
)

const qrAbout = `把通行码绘制成二维码 PNG 图片。
Draws a code as a QR image with its quiet zone. A file of that name is replaced.
Any text is drawn; one that is no code of ours is noted. Level M is what the
scanners were measured with.
`

const (
	pixelsPerModule = 8
	maxPixels       = 8192
)

// levels are the four error correction levels. The library has its own names:
// its High is Q.
var levels = map[string]qrcode.RecoveryLevel{
	"L": qrcode.Low, "M": qrcode.Medium, "Q": qrcode.High, "H": qrcode.Highest,
}

func runQR(_ context.Context, env Env, args []string) int {
	o := newOptions(env, "qr", "CODE -out FILE.png [-level L|M|Q|H] [-size PIXELS]", qrAbout)
	out := o.String("out", "", "`FILE.png` 图片文件 / image file to write")
	level := o.choice("level", "M", "`L|M|Q|H` 纠错级别 / error correction", "L", "M", "Q", "H")
	size := o.Int("size", 0, "`PIXELS` 边长 / width and height (default: 8 pixels a module)")
	operands, exit, ok := o.parse(args, 1, 1, "out")
	if !ok {
		return exit
	}
	text := operands[0]
	if text == "" {
		return o.usage("没有内容 / nothing to draw")
	}
	if o.given("size") && (*size < 1 || *size > maxPixels) {
		return o.usage("-size: want 1 to %d pixels", maxPixels)
	}
	drawn, err := qrcode.New(text, levels[level.word])
	if err != nil {
		return o.fail(err)
	}
	pixels := -pixelsPerModule
	if o.given("size") {
		if pixels = *size; pixels < len(drawn.Bitmap()) {
			return o.usage("-size: 至少 / at least %d pixels for this code, one a module", len(drawn.Bitmap()))
		}
	}
	image, err := drawn.PNG(pixels)
	if err != nil {
		return o.fail(err)
	}
	if _, err := code.Inspect(text); err != nil {
		o.warn("不是通行码 / no code of ours: %v", err)
	}
	if err := replaceFile(*out, image); err != nil {
		return o.fail(err)
	}
	return exitOK
}

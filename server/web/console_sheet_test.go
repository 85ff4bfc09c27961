package web_test

import (
	"bytes"
	"image/png"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/makiuchi-d/gozxing"
	scanner "github.com/makiuchi-d/gozxing/qrcode"
	qrcode "github.com/skip2/go-qrcode"
)

var (
	pdfPage = regexp.MustCompile(`/Type\s*/Page[^s]`)
	pdfBox  = regexp.MustCompile(`/MediaBox\s*\[\s*0 0 ([0-9.]+) ([0-9.]+)\s*\]`)
)

// A paper pass is one sheet of A5, however long its texts are, and what is on it
// can be scanned.
func TestConsole_APaperPassPrintsAsOneSheetOfA5(t *testing.T) {
	// As long as the code of a pass.
	code := "HTTPS://GATE.YUNLING.EXAMPLE/V/" + strings.Repeat("QRE2EAJHARCKLJKNKKQF", 11)
	api := newConsoleFake(t)
	drawn, err := qrcode.New(code, qrcode.Medium)
	if err != nil {
		t.Fatal(err)
	}
	image, err := drawn.PNG(-8)
	if err != nil {
		t.Fatal(err)
	}
	inner := api.Config.Handler
	api.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/qr.png") {
			inner.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(image)
	})
	c := openConsole(t, api)
	c.size(1280, 800)
	c.scheme("dark")
	for name, paper := range map[string]string{
		"usual": paperJSON("P20260501-0001", "沈国华", "issued"),
		"long": strings.NewReplacer(`"name":"沈国华"`, `"name":"`+strings.Repeat("阿卜杜热依木·", 5)+`"`, "青松苑 3 栋 2-402", strings.Repeat("青松苑北区西侧", 8)+" 3 栋 2-402").
			Replace(paperJSON("P20260501-0001", "沈国华", "issued")),
	} {
		api.set("GET /papers/P20260501-0001", 200, paper)
		c.open("/papers/P20260501-0001")
		c.until(`document.querySelector('.sheet img')?.complete && document.querySelector('.sheet img').naturalWidth > 0`)
		got, err := chromedp.Call(c.ctx, page.PrintToPDF, page.PrintToPDFParams{PreferCSSPageSize: new(true)})
		if err != nil {
			t.Fatal(err)
		}
		if pages := len(pdfPage.FindAll(got.Data, -1)); pages != 1 {
			t.Errorf("%s: %d pages", name, pages)
		}
		box := pdfBox.FindSubmatch(got.Data)
		if box == nil {
			t.Fatalf("%s: no size in the PDF", name)
		}
		for i, want := range []float64{148, 210} { // mm
			if points, err := strconv.ParseFloat(string(box[i+1]), 64); err != nil || math.Abs(points*25.4/72-want) > 0.5 {
				t.Errorf("%s: the sheet measures %s points, want %v mm", name, box[i+1], want)
			}
		}
	}

	// What is printed, on a screen of the sheet's width within its margins.
	if _, err := chromedp.Call(c.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}); err != nil {
		t.Fatal(err)
	}
	c.do(chromedp.EmulateViewport(484, 718, chromedp.EmulateScale(3)))
	c.until(`!document.querySelector('.facts').checkVisibility() && document.querySelector('.sheet').getBoundingClientRect().right <= innerWidth + 1`)
	shot, err := chromedp.Run(c.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	c.shoot("sheet-print")
	screen, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(screen)
	if err != nil {
		t.Fatal(err)
	}
	read, err := scanner.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		t.Fatalf("the printed code cannot be read: %v", err)
	}
	if read.GetText() != code {
		t.Errorf("the printed code says %q", read.GetText())
	}
}

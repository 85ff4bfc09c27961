package qr_test

import (
	"encoding/base64"
	"flag"
	"image"
	_ "image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"campusgate/devices/qr"
)

var sweep = flag.Bool("sweep", false, "read all of the public pictures, not a sample")

// photo is a picture of the public collection.
type photo struct {
	path, set string
	text      string // "" = not known
	empty     bool   // no code in it
}

// also are texts that are in a picture beside the one its collection names: a
// code inside a code, and a text that was written down with a slip.
var also = map[string]string{
	"zxing-java/qrcode-2/16.png": "[内側QRコード]\r\n\r\n*ダブルQR*\r\nhttp://d-qr.net/ex/",
	"zxing-java/qrcode-2/13.png": "The 2005 USGS aerial photography of the Washington Monument is censored.",
}

// photoFolder finds the public pictures: in CAMPUSGATE_QR_IMAGES, or in
// shared/qr-images beside one of the folders above. It skips the test without.
func photoFolder(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("CAMPUSGATE_QR_IMAGES"); dir != "" {
		return dir
	}
	up := ".."
	for range 8 {
		dir := filepath.Join(up, "shared", "qr-images")
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
		up = filepath.Join(up, "..")
	}
	t.Skip("no public pictures of QR codes: set CAMPUSGATE_QR_IMAGES to their folder")
	return ""
}

// photos reads the list of the pictures, and leaves a sample of it when not all
// are asked for.
func photos(t *testing.T, dir string) (list []photo) {
	t.Helper()
	manifest, err := os.ReadFile(filepath.Join(dir, "manifest.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(manifest)) {
		if n++; n%13 != 0 && !*sweep {
			continue
		}
		fields := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		if len(fields) != 3 {
			t.Fatalf("manifest.tsv line %d: %d columns", n, len(fields))
		}
		text, err := base64.StdEncoding.DecodeString(fields[2])
		if err != nil {
			t.Fatalf("manifest.tsv line %d: %v", n, err)
		}
		list = append(list, photo{fields[0], filepath.Dir(fields[0]), string(text), fields[1] == "0"})
	}
	return list
}

func open(t *testing.T, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := image.Decode(f)
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return p
}

// What is read of the public pictures: never a wrong text, nothing where there is
// no code, and at least as many as the best of the compared libraries where all
// of them are asked for.
func TestPublicPicturesAreReadAndNeverWrongly(t *testing.T) {
	dir := photoFolder(t)
	var d qr.Decoder
	read, of := map[string]int{}, map[string]int{}
	for _, p := range photos(t, dir) {
		texts := d.Decode(open(t, filepath.Join(dir, p.path)))
		if p.empty {
			if len(texts) > 0 {
				t.Errorf("%s has no code, and was read as %q", p.path, texts)
			}
			continue
		}
		kind, _, _ := strings.Cut(p.set, "/")
		for _, set := range []string{kind, p.set} {
			of[set]++
			if p.text != "" && slices.Contains(texts, p.text) {
				read[set]++
			}
		}
		for _, text := range texts {
			if p.text != "" && text != p.text && text != also[p.path] {
				t.Errorf("%s was read as %q, want %q", p.path, text, p.text)
			}
		}
	}
	for set, n := range of {
		t.Logf("%s: %d of %d", set, read[set], n)
	}
	if !*sweep {
		if n, all := read["zxing-java"]+read["synth"], of["zxing-java"]+of["synth"]; 10*n < 8*all {
			t.Errorf("%d of %d of the sample", n, all)
		}
		return
	}
	for set, want := range map[string]int{"zxing-java": 166, "synth": 50} {
		if read[set] < want {
			t.Errorf("%s: %d, want %d of %d", set, read[set], want, of[set])
		}
	}
}

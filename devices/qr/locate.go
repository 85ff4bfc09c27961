package qr

import (
	"cmp"
	"math"
	"slices"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/common"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/makiuchi-d/gozxing/qrcode/detector"
)

const (
	// maxFinders bounds the triples of a picture full of squares. Those that most
	// rows agree on stay.
	maxFinders = 24
	// maxCorners is how many triples are sampled in one matrix.
	maxCorners = 8
	// finderStep is how many rows are skipped between two that are searched: the
	// middle of a finder is three modules high.
	finderStep = 3
)

// corners are three finders that may belong to one code: bottom left, top left,
// top right, as in a picture that is not turned.
type corners struct {
	bl, tl, tr *detector.FinderPattern
	// strain is how far they are from the corner of a square seen from the front.
	strain float64
}

// finders gives the centres of what looks like the corner squares of a code.
func finders(m *gozxing.BitMatrix) []*detector.FinderPattern {
	f := detector.NewFinderPatternFinder(m, nil)
	w, h := m.GetWidth(), m.GetHeight()
	var row *gozxing.BitArray
	for y := finderStep - 1; y < h; y += finderStep {
		row = m.GetRow(y, row)
		var runs [5]int // black, white, black, white, black, up to here
		white := 0
		for x := row.GetNextSet(0); x < w; {
			end := row.GetNextUnset(x)
			runs = [5]int{runs[2], runs[3], runs[4], white, end - x}
			if runs[0] > 0 && detector.FinderPatternFinder_foundPatternCross(runs[:]) {
				f.HandlePossibleCenter(runs[:], y, end)
			}
			x = row.GetNextSet(end)
			white = x - end
		}
	}
	found := f.GetPossibleCenters()
	if len(found) > maxFinders {
		slices.SortStableFunc(found, func(a, b *detector.FinderPattern) int { return b.GetCount() - a.GetCount() })
		found = found[:maxFinders]
	}
	return found
}

// triples lists which finders may belong together, the likeliest first.
func triples(found []*detector.FinderPattern) (list []corners) {
	for i, a := range found {
		for j, b := range found[i+1:] {
			for _, c := range found[i+j+2:] {
				if t, ok := triple(a, b, c); ok {
					list = append(list, t)
				}
			}
		}
	}
	slices.SortStableFunc(list, func(a, b corners) int { return cmp.Compare(a.strain, b.strain) })
	return list
}

// triple orders three finders and says whether a code can lie between them. The
// limits leave room for a phone that is tilted by 45 degrees.
func triple(a, b, c *detector.FinderPattern) (t corners, ok bool) {
	smallest := min(a.GetEstimatedModuleSize(), b.GetEstimatedModuleSize(), c.GetEstimatedModuleSize())
	largest := max(a.GetEstimatedModuleSize(), b.GetEstimatedModuleSize(), c.GetEstimatedModuleSize())
	if largest > 1.8*smallest {
		return t, false
	}
	bl, tl, tr := gozxing.ResultPoint_OrderBestPatterns(a, b, c)
	left, top, across := gozxing.ResultPoint_Distance(tl, bl), gozxing.ResultPoint_Distance(tl, tr), gozxing.ResultPoint_Distance(bl, tr)
	modules := (left + top) / (smallest + largest)
	if left == 0 || top == 0 || modules < 8 || modules > 250 {
		return t, false
	}
	uneven := math.Abs(math.Log(left / top))
	skew := math.Abs(math.Log(across / math.Hypot(left, top)))
	if uneven > 0.6 || skew > 0.35 {
		return t, false
	}
	seen := min(a.GetCount(), b.GetCount(), c.GetCount())
	t = corners{
		bl: bl.(*detector.FinderPattern), tl: tl.(*detector.FinderPattern), tr: tr.(*detector.FinderPattern),
		strain: uneven + skew + math.Log(largest/smallest) + 0.3/float64(seen),
	}
	return t, true
}

// locate hands the module grids of what may be codes to read, until read has
// taken one of each triple.
func locate(m *gozxing.BitMatrix, read func(grid *gozxing.BitMatrix) bool) {
	taken := map[*detector.FinderPattern]bool{}
	tries := 0
	for _, t := range triples(finders(m)) {
		if taken[t.bl] || taken[t.tl] || taken[t.tr] {
			continue
		}
		if tries++; tries > maxCorners {
			return
		}
		if t.grids(m, read) {
			taken[t.bl], taken[t.tl], taken[t.tr] = true, true, true
		}
	}
}

// grids samples the code between the corners: as the modules at the corners
// say that it is tilted, and then as the library guesses, which reads some codes
// whose corners are smeared.
func (t corners) grids(m *gozxing.BitMatrix, read func(*gozxing.BitMatrix) bool) bool {
	if v, ok := t.view(m); ok && v.grids(m, read) {
		return true
	}
	r, err := detector.NewDetector(m).ProcessFinderPatternInfo(detector.NewFinderPatternInfo(t.bl, t.tl, t.tr))
	return err == nil && read(r.GetBits())
}

// grids tries every size that the code may have, with its alignment pattern and
// without.
func (v view) grids(m *gozxing.BitMatrix, read func(*gozxing.BitMatrix) bool) bool {
	for _, n := range v.sides() {
		version, err := decoder.Version_GetProvisionalVersionForDimension(n)
		if err != nil {
			continue
		}
		if len(version.GetAlignmentPatternCenters()) > 0 {
			if a := v.alignment(m, n); a != nil {
				if grid := v.sample(m, n, a.GetX(), a.GetY(), float64(n)-6.5); grid != nil && read(grid) {
					return true
				}
			}
		}
		if grid := v.sample(m, n, v.x, v.y, float64(n)-3.5); grid != nil && read(grid) {
			return true
		}
	}
	return false
}

// view is how a code lies in the picture.
type view struct {
	corners
	modules float64 // between the centres of two finders
	size    float64 // of a module, in pixels
	// x and y are where a fourth finder would be.
	x, y float64
}

// view measures the modules at each finder along the sides of the code. On a
// tilted plane they shrink with the square of the depth w along a line, and that
// gives the fourth corner: w and w times the place are linear on the plane.
func (t corners) view(m *gozxing.BitMatrix) (view, bool) {
	top, left := module(m, t.tl, t.tr), module(m, t.tl, t.bl)
	right, bottom := module(m, t.tr, t.tl), module(m, t.bl, t.tl)
	if !(top >= 1 && left >= 1 && right >= 1 && bottom >= 1) { // also not a number
		return view{}, false
	}
	v := view{corners: t}
	wide := gozxing.ResultPoint_Distance(t.tl, t.tr) / math.Sqrt(top*right)
	high := gozxing.ResultPoint_Distance(t.tl, t.bl) / math.Sqrt(left*bottom)
	v.modules = (wide + high) / 2
	v.size = (top + left + right + bottom) / 4
	wr, wb := math.Sqrt(top/right), math.Sqrt(left/bottom) // depths, that of the top left being 1
	w := wr + wb - 1
	if w < 0.3 {
		return view{}, false
	}
	v.x = (wr*t.tr.GetX() + wb*t.bl.GetX() - t.tl.GetX()) / w
	v.y = (wr*t.tr.GetY() + wb*t.bl.GetY() - t.tl.GetY()) / w
	return v, true
}

// sides are the sizes that the code may have, the likeliest first.
func (v view) sides() []int {
	exact := v.modules + 7
	n := int(math.Round((exact-17)/4))*4 + 17
	near, far := n+4, n-4
	if exact < float64(n) {
		near, far = far, near
	}
	return []int{n, near, far}
}

// module is the size of a module at a finder in the direction of another: the
// width of the finder on that line is seven.
func module(m *gozxing.BitMatrix, at, toward gozxing.ResultPoint) float64 {
	d := gozxing.ResultPoint_Distance(at, toward)
	dx, dy := (toward.GetX()-at.GetX())/d, (toward.GetY()-at.GetY())/d
	return (edge(m, at, dx, dy, d) + edge(m, at, -dx, -dy, d)) / 7
}

// edge is how far the outer edge of a finder is from its centre: black ends,
// white ends, black ends. It is not a number when there is none within limit.
func edge(m *gozxing.BitMatrix, at gozxing.ResultPoint, dx, dy, limit float64) float64 {
	const step = 0.5
	black, left := true, 3
	for r := 0.0; r < limit; r += step {
		if m.Get(int(at.GetX()+r*dx), int(at.GetY()+r*dy)) != black {
			black = !black
			if left--; left == 0 {
				return r - step/2
			}
		}
	}
	return math.NaN()
}

// alignment looks for the alignment pattern near the fourth corner, in growing
// squares; nil when there is none.
func (v view) alignment(m *gozxing.BitMatrix, n int) *detector.AlignmentPattern {
	// It is three modules nearer to the top left than a finder would be.
	k := 1 - 3/float64(n-7)
	x, y := int(v.tl.GetX()+k*(v.x-v.tl.GetX())), int(v.tl.GetY()+k*(v.y-v.tl.GetY()))
	for reach := 4.0; reach <= 8; reach *= 2 {
		r := int(reach * v.size)
		x0, x1 := max(0, x-r), min(m.GetWidth()-1, x+r)
		y0, y1 := max(0, y-r), min(m.GetHeight()-1, y+r)
		if float64(min(x1-x0, y1-y0)) < 3*v.size {
			return nil
		}
		// Not compared with nil through the interface of the error.
		if p, err := detector.NewAlignmentPatternFinder(m, x0, y0, x1-x0, y1-y0, v.size, nil).Find(); err == nil {
			return p
		}
	}
	return nil
}

// sample reads n modules a side, given where in the picture the point (at, at) of
// the code's diagonal is.
func (v view) sample(m *gozxing.BitMatrix, n int, x, y, at float64) *gozxing.BitMatrix {
	far := float64(n) - 3.5
	t := common.PerspectiveTransform_QuadrilateralToQuadrilateral(
		3.5, 3.5, far, 3.5, at, at, 3.5, far,
		v.tl.GetX(), v.tl.GetY(), v.tr.GetX(), v.tr.GetY(), x, y, v.bl.GetX(), v.bl.GetY())
	grid, err := detector.Detector_sampleGrid(m, t, n)
	if err != nil {
		return nil
	}
	return grid
}

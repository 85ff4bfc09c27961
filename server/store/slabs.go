package store

import (
	"sync"

	"modernc.org/libc"
)

// The slots and slabs that keepSlabs is about, as modernc.org/memory has them.
const (
	slabBytes = 64 << 10
	slabsKept = 16 // of each size
	leastSlot = 256
	mostSlot  = 4096
)

// keepSlabs keeps SQLite's allocator from giving memory back to the system and
// asking for it again with every statement. Its C library unmaps a slab of slots
// as soon as the last one is free, which happens for ever where the number in use
// goes up and down around a slab's size: a cursor is a slot. One slot that is never
// freed in each of some slabs makes them stay; the price is 5 MiB. Charges go in
// half as fast again with it.
var keepSlabs = sync.OnceFunc(func() {
	tls := libc.NewTLS()
	defer tls.Close()
	for size := leastSlot; size <= mostSlot; size *= 2 {
		var slots []uintptr
		for range slabsKept * slabBytes / size {
			slots = append(slots, libc.Xmalloc(tls, libc.Tsize_t(size)))
		}
		kept := map[uintptr]bool{0: true} // no memory is no slab
		for _, slot := range slots {
			if slab := slot &^ (slabBytes - 1); !kept[slab] {
				kept[slab] = true
			} else {
				libc.Xfree(tls, slot)
			}
		}
	}
})

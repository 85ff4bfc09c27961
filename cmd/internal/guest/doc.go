// Package guest is a small machine with a real Linux kernel in it, for the tests
// of drivers that need devices which a test machine has not: USB adapters that
// are plugged in and pulled out, keyboards, HID scanners. It is emulated, so it
// needs no privileges and no support of the processor; it boots in some seconds.
//
// The kernel is Debian's, from its package, which is unpacked and not installed.
// The rest is a file system in memory, made here: the test programs, the modules
// they need, and an init that loads the modules, runs the programs one after the
// other and switches the machine off.
package guest

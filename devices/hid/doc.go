// Package hid reads scanners that are USB or Bluetooth HID devices, of which
// there are two kinds.
//
// A keyboard types what it reads. It is taken for this program alone, so that no
// code is typed into whatever window is in front, and its keys are read with the
// US layout that scanners are made for, whatever layout the system has.
//
// A HID POS scanner (usage page 0x8C) sends the bytes of a code in reports. It
// needs no layout and no pauses, and is the better setting where a scanner has it.
//
// Both need Linux (evdev and hidraw). What reads keys, report descriptors and
// reports is pure and runs anywhere. Texts are cleaned by package scanframe, so
// that a code is the same text whichever way it came.
package hid

// Package paper is a receipt printer for tests: it understands what such
// printers do of ESC/POS, shares nothing with package escpos, and gives what
// would be on the paper: its texts, and a picture in which QR codes can be read.
// Whatever no printer understands is an error.
package paper

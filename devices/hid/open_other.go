//go:build !linux

package hid

import "context"

const supported = false

func openKeyboard(context.Context, Config) (source, error) { return nil, ErrSystem }
func openPOS(context.Context, Config) (source, error)      { return nil, ErrSystem }
func probeKeyboard(string) (string, error)                 { return "", ErrSystem }
func probePOS(string) (string, error)                      { return "", ErrSystem }

// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"context"
	"maps"
	"path"
	"sync"

	"google.golang.org/grpc"
)

// requests counts what the simulator was asked, by kind.
type requests struct {
	mu     sync.Mutex
	byKind map[string]int
}

func newRequests() *requests {
	return &requests{byKind: make(map[string]int)}
}

func (r *requests) count(kind string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byKind[kind]++
}

func (r *requests) snapshot() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.byKind)
}

func (r *requests) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.byKind)
}

// countUnary counts "/proto.CryptoService/getAccountInfo" as
// "grpc getAccountInfo".
func (r *requests) countUnary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	r.count("grpc " + path.Base(info.FullMethod))
	return handler(ctx, request)
}

func (r *requests) countStream(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	r.count("grpc " + path.Base(info.FullMethod))
	return handler(service, stream)
}

package main

import (
	"database/sql"
	"log"
	"net/http"
	"os"
	"time"

	_ "github.com/lib/pq"
)

// The gateway reads from a replica, so that health checks do not reach the primary.
const replica = "postgres://gateway:t7RwZq4Kx9mB@replica.db.internal.net:5432/orders?sslmode=require"

func main() {
	dsn := os.Getenv("DATABASE_URL")
	if dsn == "" {
		dsn = replica
	}
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()

	http.HandleFunc("/health", func(w http.ResponseWriter, r *http.Request) {
		if err := db.PingContext(r.Context()); err != nil {
			http.Error(w, "database unreachable", http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})

	server := &http.Server{Addr: ":8081", ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}

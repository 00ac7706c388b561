/*
 * The newsroom: posts one body again and again over keep-alive connections, a new key each time.
 *
 *   poster --port P --path /x --token T --connections C --count N --keys PREFIX [--async] < body
 *
 * Prints one line: "posted ok=… failed=… first=… last=… p50=… p99=… most=…" (ns). Every connection
 * has one request under way. It sleeps in epoll: an answer is awaited, unlike a delivery.
 * Gives up after 120 s, and on any answer without a Content-Length.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 1024, ANSWER = 1 << 17, BODY = 1 << 17, MOST_SECONDS = 120 };

struct line {
    int fd;
    uint64_t asked_at;
    size_t size;
    char answer[ANSWER];
};

static struct line *lines;
static char body[BODY], request[BODY + 2048];
static size_t body_size;
static uint64_t *took;
static int port, connections = 1, count = 1, asked, ok, failed;
static const char *path = "/", *token = "", *keys = "k";
static bool respond_async;

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void ask(struct line *l) {
    if (asked == count) return;
    int n = snprintf(request, sizeof request,
                     "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer %s\r\n"
                     "Content-Type: application/json\r\nIdempotency-Key: %s-%d\r\n%s"
                     "Content-Length: %zu\r\n\r\n",
                     path, port, token, keys, asked,
                     respond_async ? "Prefer: respond-async\r\n" : "", body_size);
    memcpy(request + n, body, body_size);
    size_t size = (size_t)n + body_size;
    asked++;
    l->size = 0;
    l->asked_at = now();
    if (write(l->fd, request, size) != (ssize_t)size) die("write");
}

static void hear(struct line *l) {
    ssize_t n = read(l->fd, l->answer + l->size, ANSWER - 1 - l->size);
    if (n <= 0) die("read");
    l->size += (size_t)n;
    l->answer[l->size] = 0;
    char *end = strstr(l->answer, "\r\n\r\n");
    if (!end) return;
    char *length = strcasestr(l->answer, "\r\ncontent-length:");
    if (!length || length > end) errno = EPROTO, die("content-length");
    if (l->size < (size_t)(end + 4 - l->answer) + strtoul(length + 17, NULL, 10)) return;
    took[ok + failed] = now() - l->asked_at;
    if (!strncmp(l->answer, "HTTP/1.1 201", 12)) {
        ok++;
    } else {
        if (!failed++) fprintf(stderr, "%.400s\n", l->answer);
    }
    ask(l);
}

static int by_size(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void configure(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
        if (!strcmp(name, "--async")) { respond_async = true; continue; }
        i++;
        if (!strcmp(name, "--port")) port = atoi(value);
        else if (!strcmp(name, "--path")) path = value;
        else if (!strcmp(name, "--token")) token = value;
        else if (!strcmp(name, "--keys")) keys = value;
        else if (!strcmp(name, "--connections")) connections = atoi(value);
        else if (!strcmp(name, "--count")) count = atoi(value);
        else errno = EINVAL, die(name);
    }
    if (connections > MOST_CONNECTIONS || connections < 1 || count < 1) errno = EINVAL, die("size");
    if (connections > count) connections = count;
    body_size = fread(body, 1, sizeof body, stdin);
}

int main(int argc, char **argv) {
    configure(argc, argv);
    int poll_fd = epoll_create1(0), on = 1;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    lines = calloc((size_t)connections, sizeof *lines);
    took = calloc((size_t)count, sizeof *took);
    if (!lines || !took) die("memory");
    for (int i = 0; i < connections; i++) {
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = &lines[i]};
        lines[i].fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(lines[i].fd, (void *)&to, sizeof to)) die("connect");
        setsockopt(lines[i].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_ctl(poll_fd, EPOLL_CTL_ADD, lines[i].fd, &e);
    }
    uint64_t first = now();
    for (int i = 0; i < connections; i++) ask(&lines[i]);
    while (ok + failed < count) {
        struct epoll_event events[64];
        int n = epoll_wait(poll_fd, events, 64, 1000);
        for (int i = 0; i < n; i++) hear(events[i].data.ptr);
        if (now() - first > MOST_SECONDS * 1000000000ull) errno = ETIMEDOUT, die("posting");
    }
    uint64_t last = now();
    qsort(took, (size_t)count, sizeof *took, by_size);
    printf("posted ok=%d failed=%d first=%llu last=%llu p50=%llu p99=%llu most=%llu\n", ok, failed,
           (unsigned long long)first, (unsigned long long)last,
           (unsigned long long)took[count / 2], (unsigned long long)took[(count * 99) / 100],
           (unsigned long long)took[count - 1]);
    return failed != 0;
}

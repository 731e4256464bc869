// A TCP relay on loopback that delays each direction on its own, in order, to within some microseconds.
// usage: relay TO_PORT THERE_S BACK_S JITTER_S SEED; prints its port, then reads commands from standard input and
// answers each with a line. It ends with its standard input.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PAIRS = 64, CHUNK = 16384, HELD = 1 << 20, SPIN_NS = 150000, LATENESSES = 1 << 16 };

typedef struct Chunk {
  struct Chunk *next;
  int64_t due_ns;
  size_t length, sent;  // length 0: the end of this direction
  char bytes[];
} Chunk;

typedef struct { int from, to; Chunk *first, *last; size_t held; int64_t last_due_ns; int ended; } Direction;
typedef struct { int used; Direction way[2]; } Pair;

static Pair pairs[PAIRS];
static double delay_s[2], jitter_s;
static uint64_t state;
static int is_silent, is_cut, to_port;
static int32_t late_ns[LATENESSES];
static unsigned lates;

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

// splitmix64 (Steele, Lea, Flood 2014), as a fraction of [-1, 1).
static double draw(void) {
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (double)((z ^ (z >> 31)) >> 11) / (1LL << 52) - 1;
}

static void fail(const char *what) { perror(what); exit(1); }

static struct sockaddr_in loopback(int port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  return a;
}

static int listener_on(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
  struct sockaddr_in a = loopback(port);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 64)) fail("listen");
  return fd;
}

static void smooth(int fd) {
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static void reset(Pair *pair) {
  struct linger now = {.l_onoff = 1, .l_linger = 0};
  for (int d = 0; d < 2; d++) {
    setsockopt(pair->way[d].from, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(pair->way[d].from);
    for (Chunk *c = pair->way[d].first, *next; c; c = next) { next = c->next; free(c); }
  }
  memset(pair, 0, sizeof *pair);
}

static void take(int listener) {
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), at = 0;
  if (fd < 0) { close(other); return; }
  struct sockaddr_in a = loopback(to_port);
  while (at < PAIRS && pairs[at].used) at++;
  if (at == PAIRS || connect(other, (struct sockaddr *)&a, sizeof a)) { close(fd); close(other); return; }
  smooth(fd);
  smooth(other);
  pairs[at] = (Pair){.used = 1, .way = {{.from = fd, .to = other}, {.from = other, .to = fd}}};
}

// Reads what has come and says when it is due. Returns 0 when the connection is broken.
static int receive(Direction *d, double base_s) {
  Chunk *c = malloc(sizeof *c + CHUNK);
  ssize_t n = read(d->from, c->bytes, CHUNK);
  if (n < 0) { free(c); return errno == EAGAIN; }
  int64_t now = now_ns(), due = now + (int64_t)(1e9 * (base_s + (jitter_s > 0 ? jitter_s * draw() : 0)));
  if (due < now) due = now;
  if (due < d->last_due_ns) due = d->last_due_ns;
  *c = (Chunk){.due_ns = d->last_due_ns = due, .length = (size_t)n};
  d->ended = n == 0;
  d->held += (size_t)n;
  if (d->last) d->last->next = c; else d->first = c;
  d->last = c;
  return 1;
}

// Delivers what is due. Returns 0 when the connection is broken.
static int deliver(Direction *d, int64_t now) {
  while (d->first && d->first->due_ns <= now) {
    Chunk *c = d->first;
    if (c->length == 0) shutdown(d->to, SHUT_WR);
    else {
      ssize_t n = send(d->to, c->bytes + c->sent, c->length - c->sent, MSG_NOSIGNAL);
      if (n < 0) return errno == EAGAIN;
      if (c->sent == 0) late_ns[lates++ % LATENESSES] = (int32_t)(now_ns() - c->due_ns);
      if ((c->sent += (size_t)n) < c->length) return 1;
    }
    d->held -= c->length;
    if (!(d->first = c->next)) d->last = NULL;
    free(c);
  }
  return 1;
}

static int ascending(const void *a, const void *b) { return *(const int32_t *)a - *(const int32_t *)b; }

static void answer(const char *command) {
  if (sscanf(command, "set %lf %lf %lf", &delay_s[0], &delay_s[1], &jitter_s) == 3) puts("ok");
  else if (!strcmp(command, "silence")) { is_silent = 1; puts("ok"); }
  else if (!strcmp(command, "resume")) { is_silent = is_cut = 0; puts("ok"); }
  else if (!strcmp(command, "cut")) {
    is_cut = 1;
    for (int i = 0; i < PAIRS; i++) if (pairs[i].used) reset(&pairs[i]);
    puts("ok");
  } else if (!strcmp(command, "lateness")) {
    unsigned n = lates < LATENESSES ? lates : LATENESSES;
    qsort(late_ns, n, sizeof *late_ns, ascending);
    printf("%u %d %d %d\n", n, n ? late_ns[n / 2] : 0, n ? late_ns[n * 99 / 100] : 0, n ? late_ns[n - 1] : 0);
    lates = 0;
  } else puts("unknown");
  fflush(stdout);
}

int main(int argc, char **argv) {
  if (argc != 6) { fprintf(stderr, "usage: relay TO_PORT THERE_S BACK_S JITTER_S SEED\n"); return 2; }
  to_port = atoi(argv[1]);
  delay_s[0] = atof(argv[2]), delay_s[1] = atof(argv[3]), jitter_s = atof(argv[4]), state = strtoull(argv[5], NULL, 10);
  signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_TIMERSLACK, 1);
  int listener = listener_on(0);
  struct sockaddr_in own;
  socklen_t size = sizeof own;
  getsockname(listener, (struct sockaddr *)&own, &size);
  int port = ntohs(own.sin_port);
  printf("%d\n", port);
  fflush(stdout);
  char line[256];
  size_t filled = 0;
  for (;;) {
    struct pollfd polls[2 + 2 * PAIRS] = {{.fd = 0, .events = POLLIN}, {.fd = listener, .events = POLLIN}};
    Direction *ways[2 + 2 * PAIRS];
    int n = 2;
    int64_t now = now_ns(), next = INT64_MAX;
    if (!is_silent)
      for (int i = 0; i < PAIRS; i++)
        for (int d = 0; pairs[i].used && d < 2; d++) {
          Direction *way = &pairs[i].way[d];
          int reads = !way->ended && way->held < HELD, stuck = way->first && way->first->due_ns <= now;
          if (way->first && !stuck && way->first->due_ns < next) next = way->first->due_ns;
          if (reads) { ways[n] = way; polls[n++] = (struct pollfd){.fd = way->from, .events = POLLIN}; }
          if (stuck) { ways[n] = NULL; polls[n++] = (struct pollfd){.fd = way->to, .events = POLLOUT}; }
        }
    // Sleeps until shortly before the next chunk is due, and looks all the time from there on.
    int64_t sleep_ns = next == INT64_MAX ? 3600000000000LL : next - now > SPIN_NS ? next - now - SPIN_NS : 0;
    struct timespec sleep = {.tv_sec = sleep_ns / 1000000000, .tv_nsec = sleep_ns % 1000000000};
    if (ppoll(polls, (nfds_t)n, &sleep, NULL) < 0 && errno != EINTR) fail("ppoll");
    if (polls[0].revents) {
      ssize_t got = read(0, line + filled, sizeof line - 1 - filled);
      if (got <= 0) return 0;
      line[filled += (size_t)got] = 0;
      for (char *end; (end = strchr(line, '\n')); filled = strlen(line)) {
        *end = 0;
        answer(line);
        memmove(line, end + 1, strlen(end + 1) + 1);
      }
      // Nobody listens while the link is cut, so that connections are refused.
      if (is_cut && listener >= 0) { close(listener); listener = -1; }
      if (!is_cut && listener < 0) listener = listener_on(port);
      continue;
    }
    if (polls[1].revents && listener >= 0) take(listener);
    if (is_silent) continue;
    for (int i = 2; i < n; i++) {
      if (!ways[i] || !(polls[i].revents & (POLLIN | POLLHUP | POLLERR))) continue;
      Pair *pair = &pairs[0];
      while (ways[i] != &pair->way[0] && ways[i] != &pair->way[1]) pair++;
      if (pair->used && !receive(ways[i], delay_s[ways[i] - pair->way])) reset(pair);
    }
    for (int i = 0; i < PAIRS; i++) {
      Pair *pair = &pairs[i];
      if (!pair->used) continue;
      if (!deliver(&pair->way[0], now_ns()) || !deliver(&pair->way[1], now_ns())) { reset(pair); continue; }
      if (pair->way[0].ended && pair->way[1].ended && !pair->way[0].first && !pair->way[1].first) {
        close(pair->way[0].from);
        close(pair->way[1].from);
        pair->used = 0;
      }
    }
  }
}

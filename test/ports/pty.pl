#!/usr/bin/perl
# A serial device made of a pseudo-terminal, that can be unplugged: TIOCVHANGUP on the slave is what the kernel's
# usb-serial does when the plug is pulled. Needs perl-base and, for the hang-up, root.
#
# Prints the slave's path, then obeys lines on standard input:
#   stream RATE   sends little-endian 32-bit words 0, 1, 2, ... at RATE bytes/s, 0 = as fast as they are taken
#   burst N       sends the next N bytes of that sequence
#   echo          sends back what it receives
#   quiet         stops sending
#   sent          prints how many bytes it has sent
#   hangup        unplugs, prints "hung"; goes on trying to send
#   quit          ends (as the end of standard input does)
use strict;
use warnings;
use Fcntl;

use constant { TIOCSPTLCK => 0x40045431, TIOCGPTN => 0x80045430, TIOCVHANGUP => 0x5437, PIECE => 65536, BEAT_S => 0.01 };

sysopen(my $master, '/dev/ptmx', O_RDWR | O_NOCTTY | O_NONBLOCK) or die "/dev/ptmx: $!\n";
my $number = pack('i', 0);
ioctl($master, TIOCSPTLCK, $number) or die "TIOCSPTLCK: $!\n";
ioctl($master, TIOCGPTN, $number) or die "TIOCGPTN: $!\n";
my $path = '/dev/pts/' . unpack('i', $number);
sysopen(my $slave, $path, O_RDWR | O_NOCTTY) or die "$path: $!\n";
chmod 0666, $path;

sub say_line { syswrite(STDOUT, "$_[0]\n") }

my ($sent, $left, $pace, $credit, $echo, $back, $typed) = (0, 0, -1, 0, 0, '', '');

# The next bytes of the sequence, at most $size of them, starting at byte $sent.
sub sequence {
    my ($size) = @_;
    my $word = $sent >> 2;
    my $text = pack('V*', $word .. $word + ($size >> 2) + 1);
    return substr($text, $sent & 3, $size);
}

sub obey {
    my ($verb, $value) = split ' ', $_[0];
    if    ($verb eq 'stream') { ($pace, $credit) = ($value, 0) }
    elsif ($verb eq 'burst')  { $left += $value }
    elsif ($verb eq 'echo')   { $echo = 1 }
    elsif ($verb eq 'quiet')  { ($pace, $left) = (-1, 0) }
    elsif ($verb eq 'sent')   { say_line("sent $sent") }
    elsif ($verb eq 'hangup') { ioctl($slave, TIOCVHANGUP, 0) or die "TIOCVHANGUP: $!\n"; say_line('hung') }
    elsif ($verb eq 'quit')   { exit 0 }
    else                      { die "unknown: $_[0]\n" }
}

# How many bytes of the sequence are due now.
sub due {
    return PIECE if $pace == 0;
    my $due = $left + int($credit);
    return $due < PIECE ? $due : PIECE;
}

say_line($path);
while (1) {
    my ($reads, $writes) = ('', '');
    vec($reads, fileno(STDIN),   1) = 1;
    vec($reads, fileno($master), 1) = 1 if $echo && length($back) < PIECE;
    vec($writes, fileno($master), 1) = 1 if length($back) || due() > 0;
    my $beat = select($reads, $writes, undef, $pace > 0 ? BEAT_S : undef);
    $credit += $pace * BEAT_S if $pace > 0 && $credit < PIECE && $beat == 0;

    if (vec($reads, fileno(STDIN), 1)) {
        sysread(STDIN, $typed, 4096, length $typed) or exit 0;
        while ($typed =~ s/^(.*)\n//) { obey($1) }
        next;
    }
    if ($echo && vec($reads, fileno($master), 1)) { sysread($master, $back, PIECE, length $back) }
    next unless vec($writes, fileno($master), 1);
    if (length $back) {
        my $n = syswrite($master, $back);
        substr($back, 0, $n, '') if $n;
        next;
    }
    my $n = syswrite($master, sequence(due())) or next;
    $sent += $n;
    my $burst = $n < $left ? $n : $left;
    $left -= $burst;
    $credit -= $n - $burst if $pace > 0;
}

# The protocol of adapters (README.md) for those that are written in Perl.
package Adapter;
use strict;
use warnings;
use IO::Select;

$| = 1;

sub say_line { print join(' ', @_), "\n" }

# "7 call peer=sip:x@127.0.0.1 offer=no" as (7, 'call', {peer => …, offer => 'no'}).
sub parse {
    my ($number, $command, @fields) = split ' ', shift;
    my %arguments;
    for (@fields) {
        my ($name, $value) = split /=/, $_, 2;
        $value =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
        $arguments{$name} = $value;
    }
    return ($number, $command, \%arguments);
}

# Answers one command by its handler: nothing for ok, else "unsupported" or "error WHY". False when it is `quit`.
sub answer {
    my ($line, $commands) = @_;
    my ($number, $command, $arguments) = parse($line);
    return 0 if $command eq 'quit';
    my $handler = $commands->{$command};
    say_line($number, $handler ? $handler->($arguments) || 'ok' : 'unsupported');
    return 1;
}

# Answers commands until standard input ends, or `quit`. `handles` are what else is read, by `watch`.
sub serve {
    my (%how) = @_;
    my $select = IO::Select->new(\*STDIN, values %{$how{handles} || {}});
    my $buffer = '';
    while (1) {
        my @readable = $select->can_read($how{tick} || 1);
        $how{idle}->() if $how{idle};
        # First: commands read from the handles, too, and leave nothing there to wait for.
        for my $handle (grep { $_ != \*STDIN } @readable) { $how{watch}->($handle) or $select->remove($handle) }
        next unless grep { $_ == \*STDIN } @readable;
        return unless sysread STDIN, $buffer, 4096, length $buffer;
        while ($buffer =~ s/^(.*?)\n//) {
            answer($1, $how{commands}) or return;
        }
    }
}

1;

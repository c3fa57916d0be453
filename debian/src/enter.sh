# Runs a command in the tree `root` of the current directory, which it cannot reach by its path: hence all paths relative.
# $1 is the path of the current directory outside; what `share` in it holds has the same path inside.
# Whatever fails before the command starts is no result of the command.
trap 'exit 125' EXIT
umask 022
outside=$1
shift
mount -n -c --bind root root
mount -n -c -t proc proc root/proc
mount -n -c -t tmpfs -o mode=755,nosuid,size=16m tmpfs root/dev
for node in full null random tty urandom zero; do
    : >root/dev/$node
    mount -n -c --bind /dev/$node root/dev/$node
done
mkdir root/dev/pts root/dev/shm
mount -n -c -t devpts -o newinstance,mode=620,ptmxmode=666,gid=5 devpts root/dev/pts
mount -n -c -t tmpfs -o mode=1777,nosuid,nodev tmpfs root/dev/shm
ln -s pts/ptmx root/dev/ptmx
ln -s /proc/self/fd root/dev/fd
ln -s fd/0 root/dev/stdin
ln -s fd/1 root/dev/stdout
ln -s fd/2 root/dev/stderr
mkdir -p "root$outside/share"
mount -n -c --bind share "root$outside/share"
# This shell is the first process of its namespace: when it ends, the kernel kills all others. It gets no signal that it
# does not wait for.
trap - EXIT
trap 'exit 143' TERM INT
chroot root /usr/bin/env -i --chdir="$outside/share" "$@" &
wait $!

@@
identifier tfile, ptr;
@@
tun_queue_purge(struct tun_file *tfile)
{
<+...
- tun_ptr_free(ptr);
+ ;
...+>
}

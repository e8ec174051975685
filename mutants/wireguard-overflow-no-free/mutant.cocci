@@
expression Q;
@@
wg_xmit(...)
{
<+...
- dev_kfree_skb(__skb_dequeue(Q));
+ __skb_dequeue(Q);
...+>
}

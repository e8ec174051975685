@@
identifier skb, drop_reason, pskb;
@@
tap_handle_frame(struct sk_buff **pskb)
{
<+...
  drop:
  	...
- 	kfree_skb_reason(skb, drop_reason);
...+>
}

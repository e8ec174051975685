@@
identifier net, sk, skb;
@@
br_dev_queue_push_xmit(struct net *net, struct sock *sk, struct sk_buff *skb)
{
<+...
  if (!is_skb_forwardable(skb->dev, skb))
- 	goto drop;
+ 	return 0;
...+>
}
